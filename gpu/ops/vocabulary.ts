import type { KernelSource } from "../kernel.ts";

/**
 * Lanes of the workgroup that works on one row of the vocabulary: few for a small vocabulary, many for a large one; the
 * same on every device, because tokens are drawn lane by lane.
 */
export const vocabularyLanes = (vocab: number): number => vocab <= 2048 ? 8 : 256;

/** Such a kernel. All of them sum in the same order, so that rollout and training agree to the bit. */
export function vocabularyKernel(name: string, vocab: number, body: string): KernelSource {
  const lanes = vocabularyLanes(vocab);
  return { label: `${name}_${lanes}`, code: () => `const LANES = ${lanes}u;\n${body}` };
}
