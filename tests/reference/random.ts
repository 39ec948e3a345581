/** Four 32-bit words. */
export type Words = [number, number, number, number];

/**
 * Philox4x32-10 (Salmon et al. 2011): the four output words for a counter of four words and a key of two.
 * In the program key = (seed, domain), counter = (dimension >> 2, position, rollout, step), method section 9.
 */
export function philox(counter: Words, key: [number, number]): Words {
  let [c0, c1, c2, c3] = counter.map((word) => BigInt(word >>> 0));
  let [k0, k1] = key.map((word) => BigInt(word >>> 0));
  const low = 0xffffffffn;
  for (let round = 0; round < 10; round++) {
    const product0 = 0xd2511f53n * c0;
    const product1 = 0xcd9e8d57n * c2;
    [c0, c1, c2, c3] = [
      (product1 >> 32n) ^ c1 ^ k0,
      product1 & low,
      (product0 >> 32n) ^ c3 ^ k1,
      product0 & low,
    ];
    k0 = (k0 + 0x9e3779b9n) & low;
    k1 = (k1 + 0xbb67ae85n) & low;
  }
  return [Number(c0), Number(c1), Number(c2), Number(c3)];
}

/** u = ((x >>> 8) + 0.5) * 2^-24, strictly between 0 and 1. */
export function uniformFromWord(word: number): number {
  return ((word >>> 8) + 0.5) * 2 ** -24;
}

/** Four normals by Box-Muller on the word pairs (w0, w1) and (w2, w3): r cos(2 pi u1), r sin(2 pi u1). */
export function normalsFromWords(words: Words): [number, number, number, number] {
  const pair = (first: number, second: number) => {
    const radius = Math.sqrt(-2 * Math.log(uniformFromWord(first)));
    const angle = 2 * Math.PI * uniformFromWord(second);
    return [radius * Math.cos(angle), radius * Math.sin(angle)];
  };
  const [a, b] = pair(words[0], words[1]);
  const [c, d] = pair(words[2], words[3]);
  return [a, b, c, d];
}

/** Which numbers are drawn: the parts of Philox's key and counter, less the dimension. */
export interface RandomAddress {
  seed: number;
  domain: number;
  position: number;
  rollout: number;
  step: number;
}

/** The noise eps [d] of one row: dimension 4i + j is normal j of the block with counter word 0 equal to i. */
export function noiseRow(address: RandomAddress, d: number): Float64Array {
  const out = new Float64Array(d);
  for (let i = 0; i < d; i += 4) {
    const words = philox(counterOf(address, i >> 2), [address.seed, address.domain]);
    out.set(normalsFromWords(words).slice(0, d - i), i);
  }
  return out;
}

/** The one uniform that samples the token of a position: from word 0 of the block with counter word 0 equal to 0. */
export function uniformAt(address: RandomAddress): number {
  return uniformFromWord(philox(counterOf(address, 0), [address.seed, address.domain])[0]);
}

function counterOf(address: RandomAddress, block: number): Words {
  return [block, address.position, address.rollout, address.step];
}

/** Random123's kat_vectors, "philox4x32 10": counter, key, output. */
export const PHILOX_KNOWN_ANSWERS: [Words, [number, number], Words][] = [
  [[0, 0, 0, 0], [0, 0], [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]],
  [
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    [0xffffffff, 0xffffffff],
    [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  ],
  [
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    [0xa4093822, 0x299f31d0],
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  ],
];
