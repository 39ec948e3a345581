/** How Q, K and V share a row. */
export interface Heads {
  heads: number;
  kvHeads: number;
  headDim: number;
}
