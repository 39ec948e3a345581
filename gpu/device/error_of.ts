/** Normalised mean squared error of what was found: squares of the differences over squares of the expected numbers. */
export function errorOf(found: ArrayLike<number>, expected: Float64Array): number {
  let [square, norm] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    square += (found[i] - expected[i]) ** 2;
    norm += expected[i] ** 2;
  }
  return square / norm;
}
