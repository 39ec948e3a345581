import { columnSampler, USUAL_POINTS } from "../../web/data/column_sampler.ts";
import { keysAskedFor } from "../../web/data/keys_asked_for.ts";
import type { Metrics, MetricsQuery } from "../../web/data/view_data.ts";
import { metricsColumns } from "./index/metrics_rows.ts";
import type { OpenPlace } from "./open_place.ts";

/** Columns that are made of others. */
const MADE = ["line", "total.tokens", "total.seconds"];

/** The metrics of a run, a block of lines at a time. */
export function metricsOf({ found: { id }, metrics }: OpenPlace, query: MetricsQuery): Metrics {
  if (!metrics) {
    return { id, from: 0, to: 0, lines: 0, keys: [], columns: {}, sampled: null, skipped: 0 };
  }
  const blocks = metrics.blocks();
  const keys = [...new Set([...MADE, ...blocks.flatMap(({ extra }) => extra.keys)])];
  const { lines } = metrics;
  const from = Math.min(lines, Math.max(0, Math.floor(query.from ?? 0)));
  const to = Math.min(lines, Math.max(from, Math.floor(query.to ?? lines)));
  const wanted = keysAskedFor(keys, query.keys);
  const sampler = columnSampler(from, to, query.points ?? USUAL_POINTS);
  let [tokens, seconds] = [0, 0];
  for (const { first, lines, extra, body } of blocks) {
    if (first + lines > from && first < to) {
      const columns = metricsColumns({ keys: extra.keys, lines, body: body() });
      const made = new Map([
        ["line", Float64Array.from({ length: lines }, (_, i) => first + i)],
        ["total.tokens", sums(columns.get("tokens"), lines, tokens)],
        ["total.seconds", sums(columns.get("time.step"), lines, seconds)],
      ]);
      for (const key of wanted) sampler.add(key, first, made.get(key) ?? columns.get(key) ?? []);
    }
    tokens += extra.tokens;
    seconds += extra.seconds;
  }
  return { id, from, to, lines, keys, ...sampler.result(), skipped: metrics.skipped };
}

/** Sums up to each line. */
function sums(values: Float64Array | undefined, lines: number, before: number): Float64Array {
  let sum = before;
  return Float64Array.from({ length: lines }, (_, i) => sum += values?.[i] || 0);
}
