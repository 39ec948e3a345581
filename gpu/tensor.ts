/** Element types. */
export type DType = "f32" | "u32";

/** A GPU buffer with a number that identifies it in caches. */
export interface Storage {
  /** Unique on its device. */
  id: number;
  /** WebGPU's buffer. */
  buffer: GPUBuffer;
  /** Size of the buffer. */
  bytes: number;
  /** Whether the CPU may be lent its parts where they lie (`lend_elements.ts`). */
  lendable?: boolean;
}

/** A row-major array on the GPU: a shape over part of a buffer. */
export interface Tensor {
  /** The buffer it lies in. */
  storage: Storage;
  /** Bytes from the start of the buffer: a multiple of 256. */
  offset: number;
  /** Sizes, the last one contiguous. */
  shape: readonly number[];
  /** Element type. */
  dtype: DType;
  /** For messages. */
  label: string;
}

/** Bytes of one element, of either type. */
export const ELEMENT_BYTES = 4;

/** Number of elements of a shape. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

/** Bytes that a tensor's elements take. */
export const byteLength = (tensor: Tensor): number => sizeOf(tensor.shape) * ELEMENT_BYTES;

/** Rows and columns of a tensor seen as a matrix: all but the last dimension are rows. */
export function asMatrix(tensor: Tensor): { rows: number; cols: number } {
  const cols = tensor.shape[tensor.shape.length - 1];
  return { rows: sizeOf(tensor.shape) / cols, cols };
}

/** The same elements under another shape. */
export function reshape(tensor: Tensor, shape: readonly number[]): Tensor {
  if (sizeOf(shape) !== sizeOf(tensor.shape)) {
    throw new Error(`Cannot reshape ${show(tensor)} to [${shape}]: sizes differ`);
  }
  return { ...tensor, shape };
}

/**
 * The first rows of a tensor, as a tensor.
 * @throws Error if there are fewer.
 */
export function firstRows(tensor: Tensor, count: number): Tensor {
  const { rows, cols } = asMatrix(tensor);
  if (count > rows) throw new Error(`Cannot take ${count} rows of ${show(tensor)}: it has ${rows}`);
  return { ...tensor, shape: [count, cols] };
}

/**
 * Rows `start` to `start + count` of a tensor's first dimension, as a tensor.
 * @throws Error if they do not start at a multiple of 256 bytes, as bindings must
 */
export function rowsOf(tensor: Tensor, start: number, count: number): Tensor {
  const [rows, ...rest] = tensor.shape;
  const offset = tensor.offset + start * sizeOf(rest) * ELEMENT_BYTES;
  if (start + count > rows || offset % 256 !== 0) {
    throw new Error(
      `Cannot view rows ${start} to ${start + count} of ${show(tensor)}: past its end or unaligned`,
    );
  }
  return { ...tensor, offset, shape: [count, ...rest] };
}

/** A tensor's label and shape, for messages. */
export const show = (tensor: Tensor): string => `${tensor.label}[${tensor.shape.join(", ")}]`;

/**
 * Checks a shape before any dispatch.
 * @throws Error naming the operation, the tensor and both shapes.
 */
export function expectShape(operation: string, tensor: Tensor, shape: readonly number[]): void {
  const same = tensor.shape.length === shape.length && tensor.shape.every((n, i) => n === shape[i]);
  if (!same) throw new Error(`Cannot run ${operation}: ${show(tensor)} should be [${shape.join(", ")}]`);
}
