import type { ErrorLog } from "./error_log.ts";
import { type Pipeline, UNIFORM_SLOT } from "./pipeline.ts";
import type { Profile } from "./profile.ts";
import { byteLength, ELEMENT_BYTES, show, type Tensor } from "./tensor.ts";

/** Records dispatches and copies into one command buffer at a time; `flush` sends it. */
export interface Commands {
  /** Ring of Params, one slot a dispatch of the command buffer being recorded. */
  readonly uniforms: GPUBuffer;
  /** Records one dispatch; `params` are the fields of the kernel's `struct Params`. */
  dispatch(
    kernel: Pipeline,
    group: GPUBindGroup,
    params: Record<string, number>,
    groups: readonly [number, number?, number?],
  ): void;
  /** Copies elements between tensors of 4-byte elements; offsets and count in elements. */
  copy(from: Tensor, fromOffset: number, to: Tensor, toOffset: number, count: number): void;
  /** Copies bytes of a tensor, from byte `fromOffset`, to a buffer, to its start if `toOffset` is left out. */
  copyToBuffer(from: Tensor, fromOffset: number, to: GPUBuffer, bytes: number, toOffset?: number): void;
  /** Fills a tensor with zeros. */
  zero(tensor: Tensor): void;
  /** Writes data from the CPU, after all that was recorded before; `offset` in elements. */
  upload(tensor: Tensor, data: ArrayBufferView<ArrayBuffer>, offset?: number): void;
  /** Submits what is recorded. */
  flush(): void;
  /** Dispatches and submits since the device was opened. */
  readonly counts: { dispatches: number; submits: number };
}

// A submit costs 0.1 ms, a full slot table 64 KiB: both small beside 64 dispatches; more of them would leave the GPU waiting.
const SLOTS = 64;

// WebGPU keeps a copy of what is written until the next submit: a model's worth of them, if nothing else is recorded.
const MOST_WRITTEN = 64 * 1024 * 1024;

/** Makes the command recorder of a device. */
export function createCommands(device: GPUDevice, errors: ErrorLog, profile: Profile): Commands {
  const uniforms = device.createBuffer({
    label: "uniforms",
    size: SLOTS * UNIFORM_SLOT,
    usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
  });
  const staged = new ArrayBuffer(SLOTS * UNIFORM_SLOT);
  const floats = new Float32Array(staged);
  const words = new Uint32Array(staged);
  const offset = new Uint32Array(1);
  const counts = { dispatches: 0, submits: 0 };
  let used = 0;
  let written = 0;
  let encoder: GPUCommandEncoder | undefined;
  let pass: GPUComputePassEncoder | undefined;

  const open = () => encoder ??= device.createCommandEncoder({ label: "commands" });
  const endPass = () => {
    pass?.end();
    pass = undefined;
  };
  const flush = () => {
    if (!encoder) return;
    endPass();
    profile.resolve(encoder);
    // Queue order makes one table enough: it is rewritten only after the work that reads it.
    if (used > 0) device.queue.writeBuffer(uniforms, 0, staged, 0, used * UNIFORM_SLOT);
    // In a scope, so that the next read throws the error: an uncaptured one would come after it.
    device.pushErrorScope("validation");
    device.queue.submit([encoder.finish()]);
    errors.watch(device.popErrorScope(), "commands");
    encoder = undefined;
    used = 0;
    written = 0;
    counts.submits++;
  };
  return {
    uniforms,
    counts,
    flush,
    dispatch(kernel, group, params, groups) {
      if (used === SLOTS) flush();
      writeParams(kernel, params, floats, words, used * UNIFORM_SLOT / 4);
      if (profile.on) {
        endPass();
        pass = open().beginComputePass(profile.begin(kernel.label));
      } else pass ??= open().beginComputePass({ label: "pass" });
      pass.setPipeline(kernel.pipeline);
      offset[0] = used * UNIFORM_SLOT;
      pass.setBindGroup(0, group, offset, 0, 1);
      pass.dispatchWorkgroups(groups[0], groups[1] ?? 1, groups[2] ?? 1);
      used++;
      counts.dispatches++;
    },
    copy(from, fromOffset, to, toOffset, count) {
      endPass();
      open().copyBufferToBuffer(
        from.storage.buffer,
        from.offset + fromOffset * 4,
        to.storage.buffer,
        to.offset + toOffset * 4,
        count * 4,
      );
    },
    copyToBuffer(from, fromOffset, to, bytes, toOffset = 0) {
      endPass();
      open().copyBufferToBuffer(from.storage.buffer, from.offset + fromOffset, to, toOffset, bytes);
    },
    zero(tensor) {
      endPass();
      open().clearBuffer(tensor.storage.buffer, tensor.offset, Math.ceil(byteLength(tensor) / 4) * 4);
    },
    upload(tensor, data, elementOffset = 0) {
      const at = elementOffset * ELEMENT_BYTES;
      if (at + data.byteLength > byteLength(tensor)) {
        throw new Error(`Cannot upload ${data.byteLength} bytes at ${at} to ${show(tensor)}: it is smaller`);
      }
      errors.check();
      flush();
      device.queue.writeBuffer(tensor.storage.buffer, tensor.offset + at, data);
      written += data.byteLength;
      if (written < MOST_WRITTEN) return;
      open();
      flush();
    },
  };
}

function writeParams(
  kernel: Pipeline,
  params: Record<string, number>,
  floats: Float32Array,
  words: Uint32Array,
  base: number,
): void {
  for (const { name, float } of kernel.fields) {
    const value = params[name];
    if (value === undefined) throw new Error(`Cannot run ${kernel.label}: parameter ${name} is missing`);
    if (float) floats[base++] = value;
    else words[base++] = value;
  }
}
