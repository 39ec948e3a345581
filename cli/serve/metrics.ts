import type { EngineFigures } from "../../model/serving/engine.ts";

/** What a server has done, in the text form of Prometheus. */
export interface Metrics {
  request(route: string, status: number, seconds: number): void;
  /** Seconds until the first token of an answer. */
  firstToken(seconds: number): void;
  text(figures: EngineFigures | null): string;
}

const SECONDS = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300];

/** Counts since the start. */
export function createMetrics(): Metrics {
  const requests = new Map<string, number>();
  const durations = createHistogram();
  const firstTokens = createHistogram();
  return {
    request(route, status, seconds) {
      const key = `route="${route}",status="${status}"`;
      requests.set(key, (requests.get(key) ?? 0) + 1);
      durations.add(seconds);
    },
    firstToken: firstTokens.add,
    text(figures) {
      const lines: string[] = [];
      const metric = (
        name: string,
        type: string,
        help: string,
        values: [labels: string, value: number][],
      ) => {
        lines.push(`# HELP softcot_${name} ${help}`, `# TYPE softcot_${name} ${type}`);
        for (const [labels, value] of values) lines.push(`softcot_${name}${labels} ${value}`);
      };
      metric(
        ...["requests_total", "counter", "Requests that were answered, by route and status."] as const,
        [...requests].map(([labels, count]) => [`{${labels}}`, count]),
      );
      metric(
        "request_seconds",
        "histogram",
        "From a request's arrival to its answer's end.",
        durations.values(),
      );
      metric(
        "first_token_seconds",
        "histogram",
        "From a request's arrival to its first token.",
        firstTokens.values(),
      );
      if (figures) {
        const { running, waiting, usedRows, cacheRows, promptTokens, sharedTokens, newTokens, strides } =
          figures;
        metric("running", "gauge", "Choices that are generated.", [["", running]]);
        metric("waiting", "gauge", "Requests that wait.", [["", waiting]]);
        metric("cache_rows_used", "gauge", "Rows of the KV cache that choices have.", [["", usedRows]]);
        metric("cache_rows", "gauge", "Rows that the KV cache has.", [["", cacheRows]]);
        metric("prompt_tokens_total", "counter", "Tokens of prompts that were computed.", [[
          "",
          promptTokens,
        ]]);
        metric("shared_tokens_total", "counter", "Tokens of prompts that were found.", [["", sharedTokens]]);
        metric("new_tokens_total", "counter", "Tokens that were generated.", [["", newTokens]]);
        metric("strides_total", "counter", "Strides of decoding.", [["", strides]]);
      }
      return `${lines.join("\n")}\n`;
    },
  };
}

function createHistogram() {
  const counts: number[] = Array(SECONDS.length + 1).fill(0);
  let sum = 0;
  return {
    add(seconds: number) {
      const at = SECONDS.findIndex((bound) => seconds <= bound);
      counts[at < 0 ? SECONDS.length : at]++;
      sum += seconds;
    },
    values(): [string, number][] {
      let below = 0;
      const buckets = counts.map((count, i): [string, number] => [
        `_bucket{le="${SECONDS[i] ?? "+Inf"}"}`,
        below += count,
      ]);
      return [...buckets, ["_sum", sum], ["_count", below]];
    },
  };
}
