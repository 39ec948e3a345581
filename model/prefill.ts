import type { Scratch } from "../gpu/arena.ts";
import { gather, NO_ROW } from "../gpu/ops/gather.ts";
import type { Tensor } from "../gpu/tensor.ts";
import type { KvCache } from "./kv_cache.ts";
import { PREFILL_ROWS } from "./memory.ts";
import { packRows, type RowRun, uploadLayout } from "./packing.ts";
import { forwardCached, type Model } from "./transformer.ts";

/** Tokens that are read at once: a prompt, or a forced string. */
export interface TokenRun extends Omit<RowRun, "rows" | "end"> {
  ids: readonly number[];
  /** Rows of the result that become the output of the last token. */
  wanted: readonly number[];
}

/**
 * Reads runs of tokens into the cache, at most {@link PREFILL_ROWS} rows a pass; runs may build on those before them.
 * Row w of the result [rows, d] becomes the last block's output of the run that wants it.
 */
export function prefill(model: Model, cache: KvCache, runs: readonly TokenRun[], out: Tensor): void {
  let pass: TokenRun[] = [];
  let room = PREFILL_ROWS;
  for (let run of runs) {
    while (run.ids.length > room) {
      const { ids, position } = run;
      if (room > 0) pass.push({ ...run, ids: ids.slice(0, room), wanted: [] });
      run = { ...run, ids: ids.slice(room), position: position + room };
      readPass(model, cache, pass, out);
      pass = [];
      room = PREFILL_ROWS;
    }
    pass.push(run);
    room -= run.ids.length;
  }
  if (pass.length > 0) readPass(model, cache, pass, out);
}

function readPass(model: Model, cache: KvCache, runs: readonly TokenRun[], out: Tensor): void {
  const { gpu, config, params } = model;
  using scratch = gpu.arena.scratch();
  const ids = Uint32Array.from(runs.flatMap((run) => run.ids));
  const picks = new Uint32Array(out.shape[0]).fill(NO_ROW);
  let end = 0;
  for (const { ids, wanted } of runs) {
    end += ids.length;
    for (const row of wanted) picks[row] = end - 1;
  }
  const x = scratch.f32([ids.length, config.hiddenSize], "prefill rows");
  gather(gpu, params.embedding, words(model, scratch, ids, "prefill ids"), x);
  const packed = packRows(runs.map((run) => ({ ...run, rows: run.ids.length })), gpu.subgroupSize);
  forwardCached(model, x, cache, { ...uploadLayout(gpu, scratch, packed), shift: 0 });
  gather(gpu, x, words(model, scratch, picks, "prefill picks"), out);
}

function words({ gpu }: Model, scratch: Scratch, data: Uint32Array<ArrayBuffer>, label: string): Tensor {
  const tensor = scratch.u32([data.length], label);
  gpu.commands.upload(tensor, data);
  return tensor;
}
