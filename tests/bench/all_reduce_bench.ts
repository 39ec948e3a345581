/**
 * Sums of a model's gradients over learners, from GPU buffer to GPU buffer, beside MPI_Allreduce of a C program (mpicc) from CPU buffer to CPU
 * buffer, in turns:
 *
 *     deno run -A tests/bench/all_reduce_bench.ts [--shape SmolLM2-135M] [--lora RANK] [--count N] [--learners 2] [--repeats 5] [--turns 2]
 *
 * The tensors are the gradients of a known shape or of its adapter; `--count` makes them one matrix of so many numbers instead. C sums as many
 * bytes whole, in buckets of 16 MiB, and in the slices that learners use, to another buffer and in place. Of the learners' sums it also tells what the way between device and
 * process takes, with nobody to send to, and what sums between buffers of the CPU take. A GB is 10^9 bytes of gradients. With `--count` each slice
 * is a tensor and is summed by itself; on a busy machine its least seconds tell more than those of any one repetition as a whole.
 */
import { parseArgs } from "node:util";
import { table } from "../../cli/terminal/table.ts";
import { openGpu } from "../../gpu/device/open_gpu.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { lendElements } from "../../gpu/lend_elements.ts";
import type { Tensor } from "../../gpu/tensor.ts";
import { KNOWN_SHAPES } from "../../model/transformer/known_shapes.ts";
import { createLoraParams } from "../../model/transformer/lora_params.ts";
import { createParams, matricesOf } from "../../model/transformer/params.ts";
import { addUp, roomFor, sliceOf } from "../../rl/cluster/add_up.ts";
import { BUCKET, countOf, wholeOf } from "../../rl/cluster/buckets.ts";
import { launched } from "../../rl/cluster/launched.ts";
import type { Learners } from "../../rl/cluster/learners.ts";
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

/** Seconds of each repetition's parts, and how many numbers were summed. */
interface Timed {
  count: number;
  seconds: Record<string, number[][]>;
}

const slice = sliceOf(size, BUCKET);

if (launched()) await sumAsLearner();
else await compare();

/** In parts that are summed one after another. */
function gradients(gpu: Gpu): Tensor[][] {
  const { count, shape, lora } = options;
  if (count !== undefined) {
    const parts = Math.ceil(Number(count) / slice);
    return Array.from({ length: parts }, () => [gpu.arena.create([slice], "f32", "gradient")]);
  }
  const config = KNOWN_SHAPES[shape];
  const grads = lora === undefined
    ? createParams(gpu, config, "f32", "gradient")
    : createLoraParams(gpu, config, Number(lora), "gradient");
  return [matricesOf(grads).flatMap(({ chunks }) => chunks)];
}

async function sumAsLearner(): Promise<void> {
  const mpi = joinMpi();
  const [learners, alone] = [mpiLearners(mpi), sumAlone(size)];
  const gpu = await openGpu();
  const parts = gpu.arena.lendable(() => gradients(gpu));
  const counts = parts.map((tensors) => countOf(wholeOf(tensors)));
  // Longer than any cache.
  const data = new Float32Array(Math.min(counts.reduce((sum, one) => sum + one), 16 * 1024 * 1024));
  const room = new Float32Array(roomFor(slice, size));
  const onGpu = (by: Learners) => async (part: number) => {
    await by.sum(gpu, parts[part]);
    await gpu.reader.read({ ...parts[part].at(-1)!, shape: [1] });
  };
  // As a sum does with each slice, without what it does once.
  const lent = (use: (data: Float32Array<ArrayBuffer>) => Promise<unknown>) => (part: number) =>
    lendElements(gpu, wholeOf(parts[part])[0], async (data) => void await use(data));
  const inSlices = options.count !== undefined && parts[0][0].storage.lendable;
  const start = new Float32Array(size);
  let at = 0;
  const works: Record<string, (part: number) => Promise<unknown>> = {
    "learners, GPU to GPU": inSlices ? lent((data) => addUp(mpi, data, room)) : onGpu(learners),
    "of it between GPU and process": inSlices ? lent(() => Promise.resolve()) : onGpu(alone),
    "learners, CPU to CPU": async (part) => {
      for (let done = 0; done < counts[part]; done += slice) {
        if (at + slice > data.length) at = 0;
        await addUp(mpi, data.subarray(at, at + Math.min(slice, counts[part] - done)), room);
        at += slice;
      }
    },
  };
  const timed: Timed = { count: counts.reduce((sum, one) => sum + one), seconds: {} };
  for (let k = 0; k <= repeats; k++) {
    for (const [name, work] of Object.entries(works)) {
      const seconds: number[] = [];
      for (const part of parts.keys()) {
        await mpi.meet();
        // Who meets leaves it at its next look, up to milliseconds after another.
        await mpi.spreadParts(start);
        const began = performance.now();
        await work(part);
        seconds.push((performance.now() - began) / 1000);
      }
      // The first repetition finds buffers and pages that are not there yet.
      if (k > 0) (timed.seconds[name] ??= []).push(seconds);
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
  const all: Record<string, number[][]> = {};
  let numbers = 0;
  for (let turn = 0; turn < Number(options.turns); turn++) {
    const own = [Deno.execPath(), "run", "-A", new URL(import.meta.url).pathname, ...Deno.args];
    const { count, seconds } = JSON.parse(await run(own)) as Timed;
    for (
      const [name, bucket] of [
        ["C, whole", count],
        ["C, in buckets of 16 MiB", BUCKET],
        [`C, in slices of ${slice / 2 ** 18} MiB`, slice],
      ] as const
    ) {
      for (const [place, inPlace] of [["", 0], [", in place", 1]] as const) {
        const lines = await run([c, `${count}`, `${bucket}`, `${repeats + 1}`, `${inPlace}`]);
        seconds[name + place] = lines.split("\n").slice(1).map((line) => line.trim().split(" ").map(Number));
      }
    }
    for (const [name, found] of Object.entries(seconds)) (all[name] ??= []).push(...found);
    numbers = count;
  }
  const rate = (seconds: number) => (4 * numbers / seconds / 1e9).toFixed(2);
  const sum = (seconds: number[]) => seconds.reduce((sum, one) => sum + one, 0);
  const rows = Object.entries(all).map(([name, repeats]) => {
    const sorted = repeats.map(sum).sort((a, b) => a - b);
    const least = sum(repeats[0].map((_, part) => Math.min(...repeats.map((seconds) => seconds[part]))));
    return [
      name,
      ...[sorted[0], sorted[Math.floor(sorted.length / 2)], least].map(rate),
      `${repeats[0].length}`,
    ];
  });
  console.log(`${size} learners, ${numbers} numbers, ${(4 * numbers / 1e6).toFixed(1)} MB`);
  const header = ["GB/s", "best", "median", "each part at its best", "parts"];
  console.log(table(rows, { header, align: ["left"] }));
  Deno.removeSync(folder, { recursive: true });
}
