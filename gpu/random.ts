import code from "./random.wgsl" with { type: "text" };

/** WGSL of the generator, put before every kernel that draws: rollout and backward pass share its bits. */
export const randomSource: string = code;

/** What a stream of random numbers is for: the second word of Philox's key. */
export const Domain = { noise: 0, tokens: 1, data: 2, weights: 3, evaluation: 4, validation: 5 } as const;

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
    const p0 = 0xD2511F53n * BigInt(c0 >>> 0);
    const p1 = 0xCD9E8D57n * BigInt(c2 >>> 0);
    const [hi0, lo0] = [Number(p0 >> 32n), Number(p0 & 0xffffffffn)];
    const [hi1, lo1] = [Number(p1 >> 32n), Number(p1 & 0xffffffffn)];
    [c0, c1, c2, c3] = [hi1 ^ c1 ^ k0, lo1, hi0 ^ c3 ^ k1, lo0];
    k0 = (k0 + 0x9E3779B9) >>> 0;
    k1 = (k1 + 0xBB67AE85) >>> 0;
  }
  return Uint32Array.of(c0, c1, c2, c3);
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
