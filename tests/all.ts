/**
 * Runs all tests, or those of the files and folders named: as many processes of `deno test` side by side as there are cores, at most four, each
 * with its share of the cores. The output of a batch of files is shown whole when it ends; the last line counts all of them, as Deno's own does.
 *
 *     deno run -A tests/all.ts [--jobs N] [FILE|FOLDER...]
 */
import { parseArgs } from "node:util";
import { batchesOf, testFilesOf } from "./support/batches.ts";
import { countsOf, summaryLine, sumOf } from "./support/test_counts.ts";

const MAX_JOBS = 4;

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    options: { jobs: { type: "string" } },
    allowPositionals: true,
  });
  const files = (positionals.length > 0 ? positionals : ["tests"]).flatMap(testFilesOf);
  const jobs = Number(values.jobs ?? Math.min(MAX_JOBS, navigator.hardwareConcurrency));
  Deno.exit(await runAll(files, jobs));
}

/** Exit status: 0 if every test passed. */
async function runAll(files: readonly string[], jobs: number): Promise<number> {
  const began = performance.now();
  const batches = batchesOf(files);
  const ended: BatchResult[] = [];
  const work = async () => {
    for (let batch = batches.shift(); batch; batch = batches.shift()) {
      const result = await runBatch(batch, jobs);
      ended.push(result);
      await writeAll(result.output);
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  const bad = ended.filter(({ status }) => status !== 0);
  if (bad.length > 0) {
    console.log(`\nNot passed, in files of: ${bad.map(({ files }) => files.join(" ")).join("; ")}`);
  }
  console.log(
    "\n" + summaryLine(sumOf(ended.map(({ counts }) => counts)), bad.length > 0, performance.now() - began),
  );
  return bad.length > 0 ? 1 : 0;
}

interface BatchResult {
  files: readonly string[];
  output: Uint8Array;
  status: number;
  counts: ReturnType<typeof countsOf>;
}

/** Types are another task's: they are not checked again in every process. */
async function runBatch(files: readonly string[], jobs: number): Promise<BatchResult> {
  const threads = Math.max(1, Math.floor(navigator.hardwareConcurrency / jobs));
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--no-check", ...files],
    env: { NO_COLOR: "1", DENO_WEBGPU_BACKEND: "vulkan", LP_NUM_THREADS: String(threads) },
    stdin: "null",
  }).output();
  const counts = countsOf(new TextDecoder().decode(stdout));
  // A process that died has no counts: it is a failure all the same.
  if (code !== 0 && counts.failed === 0) counts.failed = 1;
  return { files, output: new Uint8Array([...stderr, ...stdout]), status: code, counts };
}

async function writeAll(bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await Deno.stdout.write(bytes.subarray(at));
}
