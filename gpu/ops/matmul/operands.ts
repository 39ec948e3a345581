import type { Tensor } from "../../tensor.ts";
import type { BType } from "./variant.ts";

/** B of a product: f32, packed f16, or quantised with its scales beside it. */
export interface Weights {
  tensor: Tensor;
  bType: BType;
  scales?: Tensor;
}

/** What a product is made of: C (+)= A B. */
export interface Operands {
  a: Tensor;
  b: Weights;
  c: Tensor;
  /** Of a prologue that norms A's rows. */
  normWeight?: Tensor;
  /** Of an epilogue that adds u [m, rank] blocks [n, rank]^T. */
  lowRank?: { u: Tensor; blocks: Tensor };
}
