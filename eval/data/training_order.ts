import { seededUniform } from "../seeded_uniform.ts";

const SHUFFLE = 0x5348;

/**
 * The order of training questions: each pass over them has one of its own, which follows from the seed and the pass, so
 * that a run that is gone on with needs no state for it.
 *
 * @param size how many there are
 * @returns the place in the data of the index-th question in training
 */
export function trainingOrder(size: number): (seed: number, index: number) => number {
  let kept: { seed: number; pass: number; order: Uint32Array } | undefined;
  return (seed, index) => {
    const pass = Math.floor(index / size);
    if (kept?.seed !== seed || kept.pass !== pass) {
      const uniform = seededUniform(seed, pass, SHUFFLE);
      const order = Uint32Array.from({ length: size }, (_, i) => i);
      for (let i = size - 1; i > 0; i--) {
        const j = Math.floor(uniform() * (i + 1));
        [order[i], order[j]] = [order[j], order[i]];
      }
      kept = { seed, pass, order };
    }
    return kept.order[index % size];
  };
}
