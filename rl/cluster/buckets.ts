import type { Gpu } from "../../gpu/gpu.ts";
import { sizeOf, type Tensor } from "../../gpu/tensor.ts";
import type { Piece } from "../../gpu/reader.ts";

/** Elements that are sent at once: 16 MiB of f32, so that one bucket is read from the device while the one before is on its way. */
export const BUCKET = 4 * 1024 * 1024;

/** All of some tensors. */
export const wholeOf = (tensors: readonly Tensor[]): Piece[] =>
  tensors.map((tensor) => ({ tensor, from: 0, count: sizeOf(tensor.shape) }));

/** Pieces in their order, cut into buckets of at most `most` elements. */
export function bucketsOf(pieces: readonly Piece[], most: number): Piece[][] {
  const buckets: Piece[][] = [];
  let current: Piece[] = [];
  let room = most;
  for (const { tensor, from, count } of pieces) {
    for (let done = 0; done < count;) {
      const part = Math.min(room, count - done);
      current.push({ tensor, from: from + done, count: part });
      done += part;
      room -= part;
      if (room > 0) continue;
      buckets.push(current);
      current = [];
      room = most;
    }
  }
  if (current.length > 0) buckets.push(current);
  return buckets;
}

/** Elements of pieces. */
export const countOf = (pieces: readonly Piece[]): number =>
  pieces.reduce((sum, { count }) => sum + count, 0);

/** Fills pieces from numbers that follow one another. */
export function writePieces(
  { commands }: Gpu,
  pieces: readonly Piece[],
  data: Float32Array<ArrayBuffer>,
): void {
  let at = 0;
  for (const { tensor, from, count } of pieces) {
    commands.upload(tensor, data.subarray(at, at + count), from);
    at += count;
  }
}
