import code from "./random.wgsl" with { type: "text" };

/** WGSL of the generator, put before every kernel that draws: rollout and backward pass share its bits. */
export const randomSource: string = code;

/** What a stream of random numbers is for: the second word of Philox's key. */
export const Domain = { noise: 0, tokens: 1, data: 2, weights: 3, demonstrations: 4 } as const;

/** Key of the counter-based generator. */
export interface RandomKey {
  seed: number;
  /** One of {@link Domain}. */
  domain: number;
  /** Optimizer step (training) or a constant (evaluation): the counter's last word. */
  step: number;
}

/** Philox4x32-10 on the CPU: the same words as the GPU's. */
export function philox(counter: readonly number[], key: readonly [number, number]): Uint32Array {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const next0 = highWord(0xCD9E8D57, c2) ^ c1 ^ k0;
    const next2 = highWord(0xD2511F53, c0) ^ c3 ^ k1;
    c1 = Math.imul(0xCD9E8D57, c2);
    c3 = Math.imul(0xD2511F53, c0);
    c0 = next0;
    c2 = next2;
    k0 = (k0 + 0x9E3779B9) >>> 0;
    k1 = (k1 + 0xBB67AE85) >>> 0;
  }
  return Uint32Array.of(c0, c1, c2, c3);
}

/** The upper 32 bits of a product of two words, by halves: three times as fast as with BigInt. */
function highWord(a: number, b: number): number {
  const al = a & 0xffff;
  const ah = a >>> 16;
  const bl = b & 0xffff;
  const bh = b >>> 16;
  const middle = ah * bl + (al * bl >>> 16);
  return ah * bh + Math.floor(middle / 0x10000) + (al * bh + (middle & 0xffff)) / 0x10000 | 0;
}

/** A stream of uniforms in (0, 1) on the CPU, for data order and initial weights. */
export function randomStream(seed: number, domain: number, stream = 0): () => number {
  let block = 0;
  let words: Uint32Array = new Uint32Array(0);
  let at = 0;
  return () => {
    if (at === words.length) {
      words = philox([block++, 0, stream, 0], [seed, domain]);
      at = 0;
    }
    return ((words[at++] >>> 8) + 0.5) * 2 ** -24;
  };
}
