/**
 * Rows of Q and K as GGUF's `llama` and llama2.c store them rotate as pairs (2i, 2i + 1); Hugging Face's, and ours, as
 * (i, i + half). Within each head, stored row 2i + j is our row i + j half: here they are read in our order.
 *
 * @module
 */

/** The stored row that is row `row` in the order of Hugging Face. */
export function storedRow(row: number, headDim: number): number {
  const [head, within, half] = [row - row % headDim, row % headDim, headDim / 2];
  return head + (within < half ? 2 * within : 2 * (within - half) + 1);
}

/**
 * Reads elements in Hugging Face's order of rows.
 *
 * @param read reads elements in stored order
 * @param cols width of a row
 * @param headDim rows of a head
 * @param from the first element wanted
 * @param out is filled
 */
export function readHalfSplit(
  read: (from: number, out: Float32Array<ArrayBuffer>) => void,
  cols: number,
  headDim: number,
  from: number,
  out: Float32Array<ArrayBuffer>,
): void {
  // A head at a time, since its rows are stored together.
  const size = headDim * cols;
  const head = new Float32Array(size);
  for (let done = 0; done < out.length;) {
    const begin = from + done - (from + done) % size;
    const end = Math.min(begin + size, from + out.length);
    read(begin, head);
    while (from + done < end) {
      const [row, col] = [Math.floor((from + done) / cols), (from + done) % cols];
      const count = Math.min(cols - col, end - from - done);
      const at = storedRow(row, headDim) * cols - begin + col;
      out.set(head.subarray(at, at + count), done);
      done += count;
    }
  }
}

/** The same for rows as they are stored, from `row` on. */
export function readHalfSplitRows(
  read: (row: number, out: Uint8Array<ArrayBuffer>) => void,
  rowBytes: number,
  headDim: number,
  row: number,
  out: Uint8Array<ArrayBuffer>,
): void {
  for (let i = 0; i < out.length / rowBytes; i++) {
    read(storedRow(row + i, headDim), out.subarray(i * rowBytes, (i + 1) * rowBytes));
  }
}
