import { shareOf } from "./learners.ts";
import type { Mpi } from "./mpi.ts";

/** Numbers of a slice, the part of a sum that is under way at once, by learner: slices that caches hold are summed twice as fast as long ones. */
const SLICE = 512 * 1024;

/** Numbers that are summed at once, at most `most`. */
export const sliceOf = (size: number, most: number): number => Math.min(most, SLICE * size);

/** Room for what the others send of a slice. */
export const roomFor = (slice: number, size: number): number => slice + size;

/**
 * data = its sum over all processes: ((d0 + d1) + d2) + ..., in the order of their ranks, whatever Open MPI would choose for its own. Each
 * process adds up one part of it, which then goes to all.
 * @param room for as many numbers as {@link roomFor} says
 * @returns bytes that this process has sent
 */
export async function addUp(
  mpi: Mpi,
  data: Float32Array<ArrayBuffer>,
  room: Float32Array<ArrayBuffer>,
): Promise<number> {
  const { rank, size } = mpi;
  const { from, to } = shareOf(data.length, mpi);
  const own = data.subarray(from, to);
  const part = (r: number) => room.subarray(r * own.length, (r + 1) * own.length);
  await mpi.exchangeParts(data, room);
  // Of two summands either may come first.
  for (let r = 1; r < rank; r++) mpi.add(part(r), part(0));
  if (rank > 0) mpi.add(part(0), own);
  for (let r = rank + 1; r < size; r++) mpi.add(part(r), own);
  await mpi.spreadParts(data);
  return 4 * (data.length - own.length + own.length * (size - 1));
}
