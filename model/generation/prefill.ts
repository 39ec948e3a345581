import type { Scratch } from "../../gpu/arena.ts";
import { gather, NO_ROW } from "../../gpu/ops/gather/gather.ts";
import type { Tensor } from "../../gpu/tensor.ts";
import type { KvCache } from "../transformer/kv_cache.ts";
import { packRows, uploadLayout } from "../transformer/packing.ts";
import { forwardCached, type Model } from "../transformer/transformer.ts";
import type { Sequence } from "./sequence.ts";
import { splitRun, type TokenRun, tokenRunsOf } from "./token_run.ts";

/** Most rows of a pass through the blocks: a bound on memory, wide enough for speed. */
export const PREFILL_ROWS = 1024;

/** A prefill on its way: prompts and forced texts into the cache, many sequences in one pass. */
export interface Prefill {
  /** Outputs of the last block [sequences, d] that predict each sequence's first step, once it is recorded. */
  outputs: Tensor;
  /** Whose output each row is. */
  rows: ReadonlyMap<Sequence, number>;
  /** Records the passes. */
  record(): void;
}

/**
 * Makes ready to compute the keys and values of what these sequences have not in the cache yet. All that the device has to be
 * told is told here, since that submits what is recorded.
 *
 * @param scratch keeps the outputs
 */
export function preparePrefill(
  model: Model,
  cache: KvCache,
  sequences: readonly Sequence[],
  scratch: Scratch,
): Prefill {
  const rows = new Map(sequences.map((sequence, row) => [sequence, row]));
  return prepareRuns(model, cache, rows, tokenRunsOf(rows, cache.rows), scratch);
}

/**
 * The same of runs that are known; one may build on those before it.
 *
 * @param rows each sequence's row of the outputs
 */
export function prepareRuns(
  model: Model,
  cache: KvCache,
  rows: ReadonlyMap<Sequence, number>,
  runs: readonly TokenRun[],
  scratch: Scratch,
): Prefill {
  const outputs = scratch.f32([Math.max(rows.size, 1), model.config.hiddenSize], "prefill outputs");
  const passes = passesOf(runs).map((runs) => preparePass(model, cache, runs, outputs, scratch));
  return { outputs, rows, record: () => passes.forEach((record) => record()) };
}

/** Shares runs out among passes of at most {@link PREFILL_ROWS} rows; runs may build on those before them. */
function passesOf(runs: readonly TokenRun[]): TokenRun[][] {
  const passes: TokenRun[][] = [];
  let pass: TokenRun[] = [];
  let free = PREFILL_ROWS;
  const endPass = () => {
    if (pass.length > 0) passes.push(pass);
    pass = [];
    free = PREFILL_ROWS;
  };
  for (let run of runs) {
    while (run.ids.length > free) {
      if (free > 0) {
        const [first, rest] = splitRun(run, free);
        pass.push(first);
        run = rest;
      }
      endPass();
    }
    pass.push(run);
    free -= run.ids.length;
  }
  endPass();
  return passes;
}

/** Uploads a pass, and returns what records it. */
function preparePass(
  model: Model,
  cache: KvCache,
  runs: readonly TokenRun[],
  outputs: Tensor,
  scratch: Scratch,
): () => void {
  const { gpu, config, params } = model;
  const picks = new Uint32Array(outputs.shape[0]).fill(NO_ROW);
  let end = 0;
  for (const { ids, outputRows } of runs) {
    end += ids.length;
    for (const row of outputRows) picks[row] = end - 1;
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
    gather(gpu, x, picked, outputs);
  };
}

function words({ gpu }: Model, scratch: Scratch, data: Uint32Array<ArrayBuffer>, label: string): Tensor {
  const tensor = scratch.u32([data.length], label);
  gpu.commands.upload(tensor, data);
  return tensor;
}
