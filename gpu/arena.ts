import { bytesOf, type DType, sizeOf, type Storage, type Tensor } from "./tensor.ts";

/** Hands out GPU memory: lasting tensors, and scratch ones that come back when their scope ends. */
export interface Arena {
  /** A zeroed tensor that lives until `free`. */
  create(shape: readonly number[], dtype: DType, label: string): Tensor;
  /** Destroys the buffer of a tensor that `create` made. */
  free(tensor: Tensor): void;
  /** A scope whose tensors (contents undefined) return to the arena when it ends. */
  scratch(): Scratch;
  /** Bytes held now. */
  readonly bytes: number;
  /** The most bytes held so far. */
  readonly peakBytes: number;
  /** Called before a buffer is destroyed: what is recorded must be submitted, and caches drop what names it. */
  beforeDestroy?: () => void;
}

/** Tensors for the length of a block: `using scratch = gpu.arena.scratch()`. */
export interface Scratch extends Disposable {
  /** Floats; contents undefined. */
  f32(shape: readonly number[], label: string): Tensor;
  /** Words; contents undefined. */
  u32(shape: readonly number[], label: string): Tensor;
  /** Halves, two to a word; contents undefined. */
  f16(shape: readonly number[], label: string): Tensor;
}

const USAGE = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;

/** Four sizes an octave, so that a buffer wastes at most a quarter of itself and steady states reuse all. */
export function sizeClass(bytes: number): number {
  const least = Math.max(bytes, 256);
  const quarter = 2 ** Math.floor(Math.log2(least)) / 4;
  return Math.ceil(Math.ceil(least / quarter) * quarter / 256) * 256;
}

// A buffer may stand in for one of half its size: lengths that change from step to step take the same ones, and after
// some steps none is made any more.
const SPARE = 2;

/** Makes the arena of a device. Freed buffers wait in lists by size, last in first out, so that runs repeat. */
export function createArena(device: GPUDevice): Arena {
  const free = new Map<number, Storage[]>();
  let nextId = 1;
  let bytes = 0;
  let peakBytes = 0;

  const allocate = (size: number, label: string): Storage => {
    const most = device.limits.maxBufferSize;
    if (size > most) throw new Error(`Cannot create ${label}: ${size} bytes, at most ${most} a buffer`);
    bytes += size;
    peakBytes = Math.max(peakBytes, bytes);
    return { id: nextId++, buffer: device.createBuffer({ label, size, usage: USAGE }), bytes: size };
  };
  const reuse = (size: number): Storage | undefined => {
    const exact = free.get(size)?.pop();
    if (exact) return exact;
    for (let larger = sizeClass(size + 1); larger <= SPARE * size; larger = sizeClass(larger + 1)) {
      const storage = free.get(larger)?.pop();
      if (storage) return storage;
    }
  };
  const arena: Arena = {
    create(shape, dtype, label) {
      // Rounded so that the widest load at the very end can be read.
      const size = Math.ceil(Math.max(sizeOf(shape) * bytesOf(dtype), 32) / 32) * 32;
      return { storage: allocate(size, label), offset: 0, shape, dtype, label };
    },
    free(tensor) {
      bytes -= tensor.storage.bytes;
      arena.beforeDestroy?.();
      tensor.storage.buffer.destroy();
    },
    scratch() {
      const taken: Storage[] = [];
      const take = (shape: readonly number[], dtype: DType, label: string): Tensor => {
        const size = sizeClass(sizeOf(shape) * bytesOf(dtype));
        const storage = reuse(size) ?? allocate(size, `scratch ${size}`);
        taken.push(storage);
        return { storage, offset: 0, shape, dtype, label };
      };
      return {
        f32: (shape, label) => take(shape, "f32", label),
        u32: (shape, label) => take(shape, "u32", label),
        f16: (shape, label) => take(shape, "f16", label),
        [Symbol.dispose]() {
          for (const storage of taken.reverse()) {
            const list = free.get(storage.bytes);
            list ? list.push(storage) : free.set(storage.bytes, [storage]);
          }
          taken.length = 0;
        },
      };
    },
    get bytes() {
      return bytes;
    },
    get peakBytes() {
      return peakBytes;
    },
  };
  return arena;
}
