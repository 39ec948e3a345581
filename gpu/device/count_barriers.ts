/** How a command uses a buffer: in whole, as wgpu tracks it. */
export type BufferUse = "read" | "write" | "copied" | "filled";

/** Counts the barriers that wgpu puts between commands. */
export interface BarrierCount {
  /** So far. */
  readonly barriers: number;
  /** A dispatch binds these buffers; without a pass one begins. */
  dispatch(uses: ReadonlyMap<GPUBuffer, BufferUse>): void;
  /** A copy, or a filling with zeros: it ends the pass. */
  copy(uses: ReadonlyMap<GPUBuffer, BufferUse>): void;
  /** What is recorded is submitted. */
  submit(): void;
}

type Uses = Map<GPUBuffer, BufferUse>;

/** wgpu waits where a buffer is used otherwise than before, and where it is written again: only equal reads go side by side. */
const waits = (before: BufferUse | undefined, now: BufferUse): boolean =>
  before !== undefined && (before !== now || now === "write" || now === "filled");

/**
 * Counts barriers as wgpu 29 puts them: one before a dispatch that waits for an earlier one of its pass, whatever the number of
 * buffers; one before a pass, and one before what is submitted, for all their buffers together. Each is a full barrier: nothing
 * that comes after begins before all that came before has ended.
 */
export function countBarriers(): BarrierCount {
  const [queue, encoder, pass]: Uses[] = [new Map(), new Map(), new Map()];
  /** What a scope used first, which is held against the scope around it when it ends. */
  const [firstOfEncoder, firstOfPass]: Uses[] = [new Map(), new Map()];
  let barriers = 0;
  const enter = (uses: ReadonlyMap<GPUBuffer, BufferUse>, scope: Uses, first?: Uses): boolean => {
    let wait = false;
    for (const [buffer, use] of uses) {
      const before = scope.get(buffer);
      if (before === undefined) first?.set(buffer, use);
      wait ||= waits(before, use);
      scope.set(buffer, use);
    }
    return wait;
  };
  const endPass = () => {
    if (enter(firstOfPass, encoder, firstOfEncoder)) barriers++;
    for (const [buffer, use] of pass) encoder.set(buffer, use);
    for (const each of [pass, firstOfPass]) each.clear();
  };
  return {
    get barriers() {
      return barriers;
    },
    dispatch(uses) {
      if (enter(uses, pass, firstOfPass)) barriers++;
    },
    copy(uses) {
      endPass();
      if (enter(uses, encoder, firstOfEncoder)) barriers++;
    },
    submit() {
      endPass();
      if (enter(firstOfEncoder, queue)) barriers++;
      for (const [buffer, use] of encoder) queue.set(buffer, use);
      for (const each of [encoder, firstOfEncoder]) each.clear();
    },
  };
}
