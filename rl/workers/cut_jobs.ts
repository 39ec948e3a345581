import type { GenerationJob } from "../../model/generation/rollout.ts";

/** Some rollouts in a row of all that are wanted. */
export interface Part {
  jobs: GenerationJob[];
  /** Which job of all each of them is, or is a piece of. */
  owners: number[];
  /** Number of its first rollout among all. */
  first: number;
  /** Rollouts. */
  count: number;
}

/** How large parts are. */
export interface CutOptions {
  /** As many of equal size, or more. */
  parts: number;
  /** Rollouts of a part at most; any number if left out. */
  mostRollouts?: number;
  /** Bytes that the numbers of a part may take as text; one rollout may take more. */
  mostBytes: number;
}

/** A token's number, with what stands between it and the next. */
const BYTES = 11;

/** Cuts jobs into parts, in their order; where a part's end falls within a job's rollouts, both parts get its prompt. */
export function cutJobs(
  jobs: readonly GenerationJob[],
  { parts, mostRollouts, mostBytes }: CutOptions,
): Part[] {
  const total = jobs.reduce((sum, { rolloutIds }) => sum + rolloutIds.length, 0);
  const pieces = Math.max(parts, Math.ceil(total / (mostRollouts ?? Infinity)));
  const cut: Part[] = [];
  let part: Part | undefined;
  let bytes = 0;
  let done = 0;
  jobs.forEach(({ prompt, rolloutIds }, owner) => {
    const ids = Array.from(rolloutIds);
    let piece: number[] | undefined;
    for (const id of ids) {
      const isEnd = part && Math.floor(done * pieces / total) > Math.floor((done - 1) * pieces / total);
      if (!part || isEnd || (!piece && bytes + BYTES * (prompt.length + 1) > mostBytes)) {
        part = { jobs: [], owners: [], first: done, count: 0 };
        cut.push(part);
        [piece, bytes] = [undefined, 0];
      }
      if (!piece) {
        piece = [];
        part.jobs.push({ prompt, rolloutIds: piece });
        part.owners.push(owner);
        bytes += BYTES * prompt.length;
      }
      piece.push(id);
      bytes += BYTES;
      part.count++;
      done++;
    }
  });
  return cut;
}
