/** The short form of tests/workers/crowd.ts: workers in numbers, each with a share, and nothing wrong, lost or left. */
import { assert, assertEquals } from "@std/assert";
import { runCrowd } from "../../workers/support/run_crowd.ts";
import { testWithNats } from "../../workers/support/nats_server.ts";

testWithNats("20 workers that compute nothing, and 2,000 jobs", async () => {
  const size = { workers: 20, processes: 2, jobs: 2000, perUpdate: 500 };
  const { byWorker, wrong, said, left } = await runCrowd(size);
  // A machine that is busy may not answer for a while, and this is told.
  const unusual = said.filter((line) => !line.startsWith("waiting"));
  assertEquals({ wrong, left, unusual, workers: byWorker.size }, {
    wrong: 0,
    left: 0,
    unusual: [],
    workers: 20,
  });
  const shares = [...byWorker.values()];
  assertEquals(shares.reduce((sum, share) => sum + share, 0), 2000);
  assert(Math.min(...shares) > 0, `${shares}`);
});
