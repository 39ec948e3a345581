/** Rows of the table [V, d] by id: [ids.length, d]. */
export function embeddingGather(table: Float64Array, ids: ArrayLike<number>, d: number): Float64Array {
  const out = new Float64Array(ids.length * d);
  for (let r = 0; r < ids.length; r++) {
    for (let i = 0; i < d; i++) out[r * d + i] = table[ids[r] * d + i];
  }
  return out;
}

/** The gradient with respect to the table, [vocabSize, d]: every row's gradient added to its token's. */
export function embeddingBackward(
  dOut: Float64Array,
  ids: ArrayLike<number>,
  vocabSize: number,
  d: number,
): Float64Array {
  const dTable = new Float64Array(vocabSize * d);
  for (let r = 0; r < ids.length; r++) {
    for (let i = 0; i < d; i++) dTable[ids[r] * d + i] += dOut[r * d + i];
  }
  return dTable;
}
