import type { Gpu } from "../../gpu.ts";
import { grid, run } from "../../kernel.ts";
import { asMatrix, expectShape, type Tensor } from "../../tensor.ts";
import { choose } from "../choose/choose.ts";
import { type FewTokens, MOST_FEW } from "./few_tokens.ts";
import keepCode from "./keep_largest.wgsl" with { type: "text" };
import largestCode from "./largest.wgsl" with { type: "text" };
import pickCode from "./pick_columns.wgsl" with { type: "text" };

/**
 * The k largest numbers of each row of z [rows, width], descending, with their columns, into `few` (ids u32 and values [rows, k]); z stays.
 * @param vocab columns that are looked at
 * @param info u32 [rows, 4]: (row, _, _, _), different rows below their number
 * @throws Error if k is not 1 to {@link MOST_FEW} and at most `vocab`
 */
export function largest(gpu: Gpu, z: Tensor, vocab: number, info: Tensor, { ids, values }: FewTokens): void {
  const { rows } = asMatrix(z);
  const { cols: k } = asMatrix(ids);
  if (!(k >= 1 && k <= Math.min(MOST_FEW, vocab))) {
    throw new Error(
      `Cannot take the ${k} largest of ${vocab} numbers: 1 to ${MOST_FEW}, at most all, are possible`,
    );
  }
  for (const one of [ids, values]) expectShape("largest", one, [rows, k]);
  using scratch = gpu.arena.scratch();
  const aside = {
    tokens: scratch.u32([rows, 1], "columns of the largest"),
    stats: scratch.f32([rows, 1, 4], "statistics of numbers"),
    column: 0,
  };
  const chosen = scratch.u32([rows], "the largest");
  choose(gpu, "greedy", z, vocab, 1, info, 0, aside, chosen, { seed: 0, domain: 0, step: 0 }, {
    name: "largest",
    fields: " k: u32,",
    code: `const MOST_FEW = ${MOST_FEW};\n${largestCode}\n${keepCode}`,
    tensors: [ids, values],
    params: { k },
  });
}

/** out [rows, k] = the numbers of z [rows, width] in the columns ids u32 [rows, k]. */
export function pickColumns(gpu: Gpu, z: Tensor, ids: Tensor, out: Tensor): void {
  const { rows, cols: ld } = asMatrix(z);
  const { cols: k } = asMatrix(ids);
  for (const one of [ids, out]) expectShape("pick columns", one, [rows, k]);
  const S = gpu.subgroupSize;
  const kernel = { label: "pick_columns", code: () => `const S = ${S}u;\n${pickCode}` };
  run(gpu, kernel, [z, ids, out], { rows, ld, k }, grid(Math.ceil(rows * k / S)));
}
