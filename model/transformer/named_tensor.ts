import type { Matrix } from "../../gpu/matrix.ts";

/** One tensor of a Hugging Face folder, or of an adapter's: rows of one of our matrices. */
export interface NamedTensor {
  name: string;
  shape: number[];
  matrix: Matrix;
  row: number;
}
