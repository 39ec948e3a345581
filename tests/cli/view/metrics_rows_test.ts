/** Numbers of metrics as columns: what each worker and learner did by its name, which leaves the others their room. */
import { assert, assertEquals } from "@std/assert";
import { metricsColumns, metricsMaker } from "../../../cli/view/index/metrics_rows.ts";

/** The columns of some lines, and what else is told of them. */
function rowsOf(records: readonly object[]) {
  const maker = metricsMaker();
  for (const record of records) {
    const bytes = new TextEncoder().encode(JSON.stringify(record));
    assert(maker.take(bytes, 0, bytes.length, 0));
  }
  const extra = maker.extra();
  return { extra, columns: metricsColumns({ keys: extra.keys, lines: records.length, body: maker.body() }) };
}

Deno.test("workers come by name, those that several learners tell of as sums, learners by rank", () => {
  const workers = (...counts: [string, number][]) =>
    counts.map(([name, rollouts]) => ({ name, device: "", rollouts }));
  const { columns, extra } = rowsOf([
    {
      step: 1,
      time: { step: 2, workers: workers(["a", 3], ["b.c", 4], ["a", 5]), learners: [{ waited: 1 }] },
    },
    { step: 2, time: { step: 3, workers: workers(["b.c", 6]), learners: [{ waited: 2 }, { waited: 7 }] } },
  ]);
  const found = Object.fromEntries([...columns].map(([key, values]) => [key, [...values]]));
  assertEquals(found, {
    "step": [1, 2],
    "time.step": [2, 3],
    "time.workers.a.rollouts": [8, NaN],
    "time.workers.b.c.rollouts": [4, 6],
    "time.learners.0.waited": [1, 2],
    "time.learners.1.waited": [NaN, 7],
  });
  assertEquals(extra.last, { "step": 2, "time.step": 3 });
});

Deno.test("a crowd of workers leaves the other columns their room", () => {
  const workers = Array.from({ length: 150 }, (_, i) => ({ name: `w${i}`, rollouts: 1, seconds: 1 }));
  const { columns } = rowsOf([{ time: { workers } }, { reward: 5 }]);
  assertEquals(columns.size, 2 * 24 + 1);
  assertEquals([...columns.get("reward")!], [NaN, 5]);
  assertEquals(columns.get("time.workers.w23.seconds")?.[0], 1);
});
