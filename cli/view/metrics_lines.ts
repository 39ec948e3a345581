import type { MetricsLine } from "../../rl/train.ts";
import { metricsColumns } from "./index/metrics_rows.ts";
import type { OpenPlace } from "./open_place.ts";

/** What comparing runs asks of a line. */
const PLAIN = ["step", "tokens", "rollout_flops", "update_flops", "validation_accuracy"] as const;
const TIMES = ["step", "rollout", "process_peak_bytes", "device_peak_bytes"] as const;

/** The metrics of a run as far as they are asked for where runs are compared, out of its index. */
export function metricsLines({ metrics }: OpenPlace): MetricsLine[] {
  return (metrics?.blocks() ?? []).flatMap(({ lines, extra, body }) => {
    const columns = metricsColumns({ keys: extra.keys, lines, body: body() });
    const at = (key: string, i: number) => {
      const value = columns.get(key)?.[i];
      return value === undefined || Number.isNaN(value) ? undefined : value;
    };
    return Array.from({ length: lines }, (_, i) => ({
      ...Object.fromEntries(PLAIN.map((key) => [key, at(key, i)])),
      time: Object.fromEntries(TIMES.map((key) => [key, at(`time.${key}`, i)])),
    })) as unknown as MetricsLine[];
  });
}
