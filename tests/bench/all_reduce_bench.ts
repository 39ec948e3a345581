/**
 * Sums of a model's gradients over learners, from GPU buffer to GPU buffer, beside MPI_Allreduce of a C program (mpicc) from CPU buffer to CPU
 * buffer, in turns:
 *
 *     deno run -A tests/bench/all_reduce_bench.ts [--learners 2] [--count 134515008] [--repeats 5]
 *
 * The count is that of SmolLM2-135M's weights. A GB is 10^9 bytes of gradients.
 */
import { parseArgs } from "node:util";
import { openGpu } from "../../gpu/device/open_gpu.ts";
import { createMatrix } from "../../gpu/matrix.ts";
import { BUCKET } from "../../rl/cluster/buckets.ts";
import { launched } from "../../rl/cluster/launched.ts";
import { joinMpi } from "../../rl/cluster/mpi.ts";
import { mpiLearners } from "../../rl/cluster/mpi_learners.ts";
import { mpirun } from "../rl/cluster/support/mpirun.ts";

const { values: options } = parseArgs({
  options: {
    learners: { type: "string", default: "2" },
    count: { type: "string", default: "134515008" },
    repeats: { type: "string", default: "5" },
  },
});
const [count, repeats] = [Number(options.count), Number(options.repeats)];

if (launched()) await sumAsLearner();
else await compare();

async function sumAsLearner(): Promise<void> {
  const mpi = joinMpi();
  const learners = mpiLearners(mpi);
  const gpu = await openGpu();
  // As wide as SmolLM2's, in chunks that a binding holds.
  const { chunks } = createMatrix(gpu, Math.ceil(count / 576), 576, "f32", "gradient");
  for (let k = 0; k < repeats; k++) {
    learners.takeSpent();
    await learners.sum(gpu, chunks);
    await gpu.reader.read({ ...chunks.at(-1)!, shape: [4] });
    const { summed } = learners.takeSpent();
    if (mpi.rank === 0) console.log(summed);
  }
  mpi.leave();
  gpu.close();
}

async function compare(): Promise<void> {
  const folder = Deno.makeTempDirSync();
  const c = `${folder}/all_reduce`;
  const source = new URL("all_reduce.c", import.meta.url).pathname;
  const built = await new Deno.Command("mpicc", { args: ["-O3", "-o", c, source] }).output();
  if (!built.success) throw new Error(new TextDecoder().decode(built.stderr));
  const learners = Number(options.learners);
  const own = [Deno.execPath(), "run", "-A", new URL(import.meta.url).pathname, ...Deno.args];
  const programs: [string, string[]][] = [
    ["C, whole", [c, `${count}`, `${count}`, `${repeats}`]],
    ["C, buckets", [c, `${count}`, `${BUCKET}`, `${repeats}`]],
    ["learners, GPU to GPU", own],
  ];
  const best = new Map<string, number[]>();
  for (let turn = 0; turn < 2; turn++) {
    for (const [name, program] of programs) {
      const { code, stdout, stderr } = await mpirun(learners, program);
      if (code !== 0) throw new Error(stderr);
      // The first repeat finds buffers and pages that are not there yet.
      best.set(name, [...best.get(name) ?? [], ...stdout.trim().split("\n").map(Number).slice(1)]);
    }
  }
  const rate = (seconds: number) => `${(4 * count / seconds / 1e9).toFixed(2)} GB/s`;
  for (const [name, seconds] of best) {
    const sorted = seconds.toSorted((a, b) => a - b);
    console.log(
      `${name.padEnd(22)} best ${rate(sorted[0])}, median ${rate(sorted[Math.floor(sorted.length / 2)])}`,
    );
  }
  Deno.removeSync(folder, { recursive: true });
}
