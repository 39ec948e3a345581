import type { Tensor } from "../../tensor.ts";

/** Keys and values [keys, kvHeads hd] of one layer: a cache, or the packed rows themselves. */
export interface KeysValues {
  k: Tensor;
  v: Tensor;
}
