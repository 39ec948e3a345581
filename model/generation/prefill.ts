import type { Scratch } from "../../gpu/arena.ts";
import { gather, NO_ROW } from "../../gpu/ops/gather/gather.ts";
import type { Tensor } from "../../gpu/tensor.ts";
import type { KvCache } from "../transformer/kv_cache.ts";
import { PREFILL_ROWS } from "../memory/cache_budget.ts";
import { packRows, type RowRun, uploadLayout } from "../transformer/packing.ts";
import { forwardCached, type Model } from "../transformer/transformer.ts";

/** Tokens that are read at once: a prompt, or a forced string. */
export interface TokenRun extends Omit<RowRun, "rows" | "end"> {
  ids: readonly number[];
  /** Rows of the result that become the output of the last token. */
  wanted: readonly number[];
}

/**
 * Makes ready to read runs of tokens into the cache, at most {@link PREFILL_ROWS} rows a pass; runs may build on those
 * before them. All that the device has to be told is told here, since that submits what is recorded.
 *
 * @returns records the passes. Row w of `out` [rows, d] becomes the last block's output of the run that wants it
 */
export function prepareReading(
  model: Model,
  cache: KvCache,
  runs: readonly TokenRun[],
  out: Tensor,
  scratch: Scratch,
): () => void {
  const passes: (() => void)[] = [];
  let pass: TokenRun[] = [];
  let room = PREFILL_ROWS;
  const endPass = () => {
    if (pass.length > 0) passes.push(preparePass(model, cache, pass, out, scratch));
    pass = [];
    room = PREFILL_ROWS;
  };
  for (let run of runs) {
    while (run.ids.length > room) {
      const { ids, position } = run;
      if (room > 0) pass.push({ ...run, ids: ids.slice(0, room), wanted: [] });
      run = { ...run, ids: ids.slice(room), position: position + room };
      endPass();
    }
    pass.push(run);
    room -= run.ids.length;
  }
  endPass();
  return () => passes.forEach((record) => record());
}

function preparePass(
  model: Model,
  cache: KvCache,
  runs: readonly TokenRun[],
  out: Tensor,
  scratch: Scratch,
): () => void {
  const { gpu, config, params } = model;
  const picks = new Uint32Array(out.shape[0]).fill(NO_ROW);
  let end = 0;
  for (const { ids, wanted } of runs) {
    end += ids.length;
    for (const row of wanted) picks[row] = end - 1;
  }
  const index = words(model, scratch, Uint32Array.from(runs.flatMap((run) => run.ids)), "prefill ids");
  const picked = words(model, scratch, picks, "prefill picks");
  const packed = packRows(runs.map((run) => ({ ...run, rows: run.ids.length })), gpu.subgroupSize);
  const layout = uploadLayout(gpu, scratch, packed);
  return () => {
    using temporary = gpu.arena.scratch();
    const x = temporary.f32([end, config.hiddenSize], "prefill rows");
    gather(gpu, params.embedding, index, x);
    forwardCached(model, x, cache, { ...layout, shift: 0 });
    gather(gpu, x, picked, out);
  };
}

function words({ gpu }: Model, scratch: Scratch, data: Uint32Array<ArrayBuffer>, label: string): Tensor {
  const tensor = scratch.u32([data.length], label);
  gpu.commands.upload(tensor, data);
  return tensor;
}
