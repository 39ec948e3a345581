/**
 * Uniform numbers that depend on nothing but the labels: the same question on every machine, in any order.
 *
 * @param labels 32-bit integers, such as seed, stream and index
 * @returns a function that gives the next number in [0, 1)
 */
export function seededUniform(...labels: number[]): () => number {
  // Chris Doty-Humphrey's sfc32; the labels are absorbed one at a time, so none can cancel another.
  let [a, b, c, counter] = [0x9e3779b9, 0x243f6a88, 0xb7e15162, 1];
  const next = () => {
    const sum = (a + b + counter++) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum | 0;
    return sum >>> 0;
  };
  for (const label of labels) {
    a ^= label;
    for (let round = 0; round < 12; round++) next();
  }
  return () => next() / 2 ** 32;
}
