import type { KernelSource } from "../../kernel.ts";

/**
 * Lanes of the workgroup that works on one row of the vocabulary: few for a small vocabulary, many for a large one; the
 * same on every device, because tokens are drawn lane by lane.
 */
export const vocabularyLanes = (vocab: number): number => vocab <= 2048 ? 8 : 256;

/**
 * Weights of a mixture below this count as 0, in rollout and training alike, so that a product need not read the rows of E
 * they stand for. The mixture moves by at most V times this times the longest of those rows (V = 128,256: 1.2e-4 of it).
 */
export const NEGLIGIBLE = 2 ** -30;

/** Such a kernel. All of them sum in the same order, so that rollout and training agree to the bit. */
export function vocabularyKernel(name: string, vocab: number, body: () => string): KernelSource {
  const lanes = vocabularyLanes(vocab);
  return {
    label: `${name}_${lanes}`,
    code: () => `const LANES = ${lanes}u;\nconst NEGLIGIBLE = ${NEGLIGIBLE};\n${body()}`,
  };
}
