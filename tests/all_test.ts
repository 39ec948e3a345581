import { assert, assertEquals } from "@std/assert";
import { batchesOf, testFilesOf } from "./support/batches.ts";
import { countsOf, summaryLine, sumOf } from "./support/test_counts.ts";

Deno.test("every test file is in one batch, long ones first and alone", () => {
  const files = testFilesOf("tests");
  const batches = batchesOf(files);
  assertEquals(batches.flat().sort(), [...files].sort());
  assert(files.includes("tests/all_test.ts") && files.includes("tests/rl/mismatch_test.ts"));
  assertEquals(batches[0], ["tests/cli/train/train_resume_test.ts"]);
  const single = batches.findIndex((batch) => batch.length > 1);
  assert(single >= 9, "each of the long files is still there");
});

Deno.test("counts of several runs are added, steps and files without a summary aside", () => {
  const counts = [
    "x ... ok\n\nok | 12 passed (3 steps) | 0 failed | 2 ignored (4s)\n",
    "FAILED | 3 passed | 1 failed (1m2s)\n\nerror: Test failed\n",
    "Aborted\n",
  ].map(countsOf);
  assertEquals(sumOf(counts), { passed: 15, failed: 1, ignored: 2 });
  assertEquals(countsOf(summaryLine(sumOf(counts), true, 61_000)), sumOf(counts));
  assertEquals(
    summaryLine({ passed: 2, failed: 0, ignored: 0 }, false, 61_000),
    "ok | 2 passed | 0 failed (1m1s)",
  );
});
