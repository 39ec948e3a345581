import { createBufferPool } from "./buffer_pool.ts";
import type { ErrorLog } from "./error_log.ts";
import { type DType, ELEMENT_BYTES, sizeOf, type Storage, type Tensor } from "./tensor.ts";

/** Hands out GPU memory: lasting tensors, and scratch ones that come back when their scope ends. */
export interface Arena {
  /** A zeroed tensor that lives until `free`. */
  create(shape: readonly number[], dtype: DType, label: string): Tensor;
  /** What `make` creates may be lent to the CPU, on devices whose memory is the CPU's own. */
  lendable<T>(make: () => T): T;
  /** Destroys the buffer of a tensor that `create` made. */
  free(tensor: Tensor): void;
  /** A scope whose tensors (contents undefined) return to the arena when it ends. */
  scratch(): Scratch;
  /** Destroys the buffers that wait for another scope: between works of different kinds. */
  trim(): void;
  /** Bytes held now. */
  readonly bytes: number;
  /** The most bytes held so far. */
  readonly peakBytes: number;
  /** Called before a buffer is destroyed: what is recorded must be submitted, and caches drop what names it. */
  beforeDestroy?: () => void;
}

/** Tensors for the length of a block: `using scratch = gpu.arena.scratch()`. Buffers are found again by label. */
export interface Scratch extends Disposable {
  /** Floats; contents undefined. */
  f32(shape: readonly number[], label: string): Tensor;
  /** Words; contents undefined. */
  u32(shape: readonly number[], label: string): Tensor;
}

/** Granted to devices whose memory the CPU reads and writes as its own. */
export const LENDABLE = "wgpu-mappable-primary-buffers" as GPUFeatureName;

/** Bytes that the sizes of lasting buffers are multiples of. */
export const BUFFER_RUN = 32;

const USAGE = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;

/** Sixteen sizes an octave: a buffer wastes at most a sixteenth, and lengths that differ little take the same one. */
export function sizeClass(bytes: number): number {
  const least = Math.max(bytes, 256);
  const part = 2 ** Math.floor(Math.log2(least)) / 16;
  return Math.ceil(Math.ceil(least / part) * part / 256) * 256;
}

/** Makes the arena of a device, where memory that is not there is told to `errors`; how scratch buffers are found again is the pool's affair (`gpu/buffer_pool.ts`). */
export function createArena(device: GPUDevice, errors?: ErrorLog): Arena {
  let nextId = 1;
  let bytes = 0;
  let peakBytes = 0;
  let lendable = false;

  const allocate = (size: number, label: string): Storage => {
    const most = device.limits.maxBufferSize;
    if (size > most) throw new Error(`Cannot create ${label}: ${size} bytes, at most ${most} a buffer`);
    bytes += size;
    peakBytes = Math.max(peakBytes, bytes);
    // Without a scope it would be reported after all the calls that fail since the buffer is none.
    if (errors) device.pushErrorScope("out-of-memory");
    // Made mapped: see `mapped_range.ts`.
    const usage = lendable ? USAGE | GPUBufferUsage.MAP_WRITE : USAGE;
    const buffer = device.createBuffer({ label, size, usage, mappedAtCreation: lendable });
    if (lendable) buffer.unmap();
    errors?.watch(device.popErrorScope(), label, { held: bytes - size, asked: size });
    return { id: nextId++, buffer, bytes: size, lendable };
  };
  const destroy = (storage: Storage) => {
    bytes -= storage.bytes;
    arena.beforeDestroy?.();
    storage.buffer.destroy();
  };
  const pool = createBufferPool(allocate, destroy);
  /** The class of a size, within a binding where the size itself is. */
  const classOf = (bytes: number): number => {
    const most = Math.floor(device.limits.maxStorageBufferBindingSize / 256) * 256;
    return bytes <= most ? Math.min(sizeClass(bytes), most) : sizeClass(bytes);
  };
  const arena: Arena = {
    create(shape, dtype, label) {
      // Rounded so that the widest load at the very end can be read.
      const size = Math.max(1, Math.ceil(sizeOf(shape) * ELEMENT_BYTES / BUFFER_RUN)) * BUFFER_RUN;
      return { storage: allocate(size, label), offset: 0, shape, dtype, label };
    },
    lendable(make) {
      lendable = device.features.has(LENDABLE);
      try {
        return make();
      } finally {
        lendable = false;
      }
    },
    free: ({ storage }) => destroy(storage),
    scratch() {
      const taken: Storage[] = [];
      const take = (shape: readonly number[], dtype: DType, label: string): Tensor => {
        const storage = pool.take(label, classOf(sizeOf(shape) * ELEMENT_BYTES));
        taken.push(storage);
        return { storage, offset: 0, shape, dtype, label };
      };
      return {
        f32: (shape, label) => take(shape, "f32", label),
        u32: (shape, label) => take(shape, "u32", label),
        [Symbol.dispose]() {
          taken.reverse().forEach(pool.giveBack);
          taken.length = 0;
        },
      };
    },
    trim: () => pool.trim(),
    get bytes() {
      return bytes;
    },
    get peakBytes() {
      return peakBytes;
    },
  };
  return arena;
}
