import type { Commands } from "../commands.ts";
import type { Pipeline } from "../pipeline.ts";
import { type BufferUse, countBarriers } from "./count_barriers.ts";

/** What was given to a dry device so far. */
export interface WorkCount {
  dispatches: number;
  /** As wgpu would put them. */
  barriers: number;
  /** Copies and fillings. */
  copies: number;
  /** Dispatches by the kernel's label. */
  kernels: Record<string, number>;
}

/** Commands that are counted, and not carried out. */
export interface DryCommands extends Commands {
  /** All work so far. */
  count(): WorkCount;
}

// As many as a real device's commands take (gpu/commands.ts).
const SLOTS = 64;

/** Commands of a dry device. */
export function dryCommands(): DryCommands {
  const counts = { dispatches: 0, submits: 0 };
  const barriers = countBarriers();
  const kernels = new Map<string, number>();
  let recorded = 0;
  let copies = 0;
  const flush = () => {
    barriers.submit();
    counts.submits++;
    recorded = 0;
  };
  const copy = (...uses: [GPUBuffer, BufferUse][]) => {
    copies++;
    barriers.copy(new Map(uses));
  };
  return {
    uniforms: {} as GPUBuffer,
    counts,
    dispatch(kernel, group) {
      if (recorded++ === SLOTS) flush();
      counts.dispatches++;
      kernels.set(kernel.label, (kernels.get(kernel.label) ?? 0) + 1);
      barriers.dispatch(usesOf(kernel, group));
    },
    copy: (from, _, to) => copy([from.storage.buffer, "copied"], [to.storage.buffer, "filled"]),
    copyToBuffer: (from, _, to) => copy([from.storage.buffer, "copied"], [to, "filled"]),
    zero: (tensor) => copy([tensor.storage.buffer, "filled"]),
    upload: flush,
    flush,
    count: () => ({
      dispatches: counts.dispatches,
      barriers: barriers.barriers,
      copies,
      kernels: Object.fromEntries(kernels),
    }),
  };
}

/** The buffers of a dry device's bind group, which is what it was made of; one bound to write may be read as well. */
function usesOf({ layout }: Pipeline, group: GPUBindGroup): Map<GPUBuffer, BufferUse> {
  const { entries } = layout as unknown as GPUBindGroupLayoutDescriptor;
  const types = new Map([...entries].map(({ binding, buffer }) => [binding, buffer?.type]));
  const uses = new Map<GPUBuffer, BufferUse>();
  for (const { binding, resource } of (group as unknown as GPUBindGroupDescriptor).entries) {
    const type = types.get(binding);
    const { buffer } = resource as GPUBufferBinding;
    if (type === "storage") uses.set(buffer, "write");
    else if (type === "read-only-storage" && !uses.has(buffer)) uses.set(buffer, "read");
  }
  return uses;
}
