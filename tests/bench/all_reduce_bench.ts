/**
 * Sums of a model's gradients over learners, from GPU buffer to GPU buffer, beside MPI_Allreduce of a C program (mpicc) from CPU buffer to CPU
 * buffer, in turns:
 *
 *     deno run -A tests/bench/all_reduce_bench.ts [--shape SmolLM2-135M] [--lora RANK] [--count N] [--learners 2] [--repeats 5] [--turns 2]
 *
 * The tensors are the gradients of a known shape or of its adapter; `--count` makes them one matrix of so many numbers instead. C sums as many
 * bytes whole, in buckets of 16 MiB, and in the slices that learners use, to another buffer and in place. Of the learners' sums it also tells what the way between device and
 * process takes, with nobody to send to, and what sums between buffers of the CPU take. A GB is 10^9 bytes of gradients.
 */
import { parseArgs } from "node:util";
import { table } from "../../cli/terminal/table.ts";
import { openGpu } from "../../gpu/device/open_gpu.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { createMatrix } from "../../gpu/matrix.ts";
import type { Tensor } from "../../gpu/tensor.ts";
import { KNOWN_SHAPES } from "../../model/transformer/known_shapes.ts";
import { createLoraParams } from "../../model/transformer/lora_params.ts";
import { createParams, matricesOf } from "../../model/transformer/params.ts";
import { addUp, roomFor, sliceOf } from "../../rl/cluster/add_up.ts";
import { BUCKET, countOf, wholeOf } from "../../rl/cluster/buckets.ts";
import { launched } from "../../rl/cluster/launched.ts";
import { joinMpi } from "../../rl/cluster/mpi.ts";
import { mpiLearners } from "../../rl/cluster/mpi_learners.ts";
import { mpirun } from "../rl/cluster/support/mpirun.ts";
import { sumAlone } from "./support/sum_alone.ts";

const { values: options } = parseArgs({
  options: {
    shape: { type: "string", default: "SmolLM2-135M" },
    lora: { type: "string" },
    count: { type: "string" },
    learners: { type: "string", default: "2" },
    repeats: { type: "string", default: "5" },
    turns: { type: "string", default: "2" },
  },
});
const [repeats, size] = [Number(options.repeats), Number(options.learners)];

/** Seconds of each repetition, and how many numbers were summed. */
interface Timed {
  count: number;
  seconds: Record<string, number[]>;
}

if (launched()) await sumAsLearner();
else await compare();

/** As wide as SmolLM2's where they are one matrix, in chunks that a binding holds. */
function gradients(gpu: Gpu): Tensor[] {
  const { count, shape, lora } = options;
  if (count !== undefined) {
    return createMatrix(gpu, Math.ceil(Number(count) / 576), 576, "f32", "gradient").chunks;
  }
  const config = KNOWN_SHAPES[shape];
  const grads = lora === undefined
    ? createParams(gpu, config, "f32", "gradient")
    : createLoraParams(gpu, config, Number(lora), "gradient");
  return matricesOf(grads).flatMap(({ chunks }) => chunks);
}

async function sumAsLearner(): Promise<void> {
  const mpi = joinMpi();
  const [learners, alone] = [mpiLearners(mpi), sumAlone(size)];
  const gpu = await openGpu();
  const tensors = gpu.arena.lendable(() => gradients(gpu));
  const count = countOf(wholeOf(tensors));
  const slice = sliceOf(size, BUCKET);
  // Longer than any cache.
  const [data, room] = [
    new Float32Array(Math.min(count, 16 * 1024 * 1024)),
    new Float32Array(roomFor(slice, size)),
  ];
  const finish = () => gpu.reader.read({ ...tensors.at(-1)!, shape: [1] });
  const works: Record<string, () => Promise<unknown>> = {
    "learners, GPU to GPU": async () => {
      await learners.sum(gpu, tensors);
      await finish();
    },
    "of it between GPU and process": async () => {
      await alone.sum(gpu, tensors);
      await finish();
    },
    "learners, CPU to CPU": async () => {
      for (let done = 0; done < count;) {
        const part = data.subarray(0, Math.min(data.length, count - done));
        for (let at = 0; at < part.length; at += slice) {
          await addUp(mpi, part.subarray(at, at + slice), room);
        }
        done += part.length;
      }
    },
  };
  const timed: Timed = { count, seconds: {} };
  for (let k = 0; k <= repeats; k++) {
    for (const [name, work] of Object.entries(works)) {
      await mpi.meet();
      const began = performance.now();
      await work();
      // The first repetition finds buffers and pages that are not there yet.
      if (k > 0) (timed.seconds[name] ??= []).push((performance.now() - began) / 1000);
    }
  }
  if (mpi.rank === 0) console.log(JSON.stringify(timed));
  mpi.leave();
  gpu.close();
}

async function compare(): Promise<void> {
  const folder = Deno.makeTempDirSync();
  const c = `${folder}/all_reduce`;
  const source = new URL("all_reduce.c", import.meta.url).pathname;
  const built = await new Deno.Command("mpicc", { args: ["-O3", "-o", c, source] }).output();
  if (!built.success) throw new Error(new TextDecoder().decode(built.stderr));
  const run = async (program: string[]) => {
    const { code, stdout, stderr } = await mpirun(size, program);
    if (code !== 0) throw new Error(stderr);
    return stdout.trim();
  };
  const all: Record<string, number[]> = {};
  let numbers = 0;
  for (let turn = 0; turn < Number(options.turns); turn++) {
    const own = [Deno.execPath(), "run", "-A", new URL(import.meta.url).pathname, ...Deno.args];
    const { count, seconds } = JSON.parse(await run(own)) as Timed;
    const slice = sliceOf(size, BUCKET);
    for (
      const [name, bucket] of [
        ["C, whole", count],
        ["C, in buckets of 16 MiB", BUCKET],
        [`C, in slices of ${slice / 2 ** 18} MiB`, slice],
      ] as const
    ) {
      for (const [place, inPlace] of [["", 0], [", in place", 1]] as const) {
        const lines = await run([c, `${count}`, `${bucket}`, `${repeats + 1}`, `${inPlace}`]);
        seconds[name + place] = lines.split("\n").map(Number).slice(1);
      }
    }
    for (const [name, found] of Object.entries(seconds)) (all[name] ??= []).push(...found);
    numbers = count;
  }
  const rate = (seconds: number) => (4 * numbers / seconds / 1e9).toFixed(2);
  const rows = Object.entries(all).map(([name, seconds]) => {
    const sorted = seconds.toSorted((a, b) => a - b);
    const median = sorted[Math.floor(sorted.length / 2)];
    return [name, rate(sorted[0]), rate(median), sorted[0].toFixed(4), median.toFixed(4)];
  });
  console.log(`${size} learners, ${numbers} numbers, ${(4 * numbers / 1e6).toFixed(1)} MB`);
  console.log(table(rows, { header: ["", "best, GB/s", "median", "best, s", "median"], align: ["left"] }));
  Deno.removeSync(folder, { recursive: true });
}
