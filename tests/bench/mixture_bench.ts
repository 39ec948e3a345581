/**
 * The last part of a thinking step alone, at large vocabularies: head and choice of a token (hard) beside head, weights and
 * mixture (soft), where probabilities are peaked and where they are flat, so that the mixture reads all of the embedding.
 *
 *     deno run -A tests/bench/mixture_bench.ts [--vocabularies 49152,128256] [--rows 1,8,16,64] [--width 576] [--rounds 5]
 *
 * Both take turns within each round; ratios are the medians of the rounds'. For flat probabilities the bound is 1/2: the
 * mixture has as many operations as the head. thinking_bench.ts measures whole rollouts.
 */
import { parseArgs } from "node:util";
import { median } from "../../cli/bench/measure.ts";
import { table } from "../../cli/terminal/table.ts";
import { openGpu } from "../../gpu/device/open_gpu.ts";
import { createMatrix, freeMatrix, type Matrix } from "../../gpu/matrix.ts";
import { uploadRows } from "../../gpu/ops/repack/upload_rows.ts";
import { choose } from "../../gpu/ops/choose/choose.ts";
import { matmulNN, matmulNT } from "../../gpu/ops/matmul/matmul.ts";
import { randomArray } from "../reference/support.ts";

const { values } = parseArgs({
  options: {
    vocabularies: { type: "string", default: "49152,128256" },
    rows: { type: "string", default: "1,8,16,64" },
    width: { type: "string", default: "576" },
    rounds: { type: "string", default: "5" },
  },
});
const numbers = (text: string) => text.split(",").map(Number);
const [width, rounds] = [Number(values.width), Number(values.rounds)];
const gpu = await openGpu();

/** Standard deviations of the logits: nearly all weights vanish, or none does. */
const SHAPES = [["peaked", 12], ["flat", 0.3]] as const;

async function measure(embedding: Matrix, rows: number, deviation: number) {
  const vocab = embedding.rows;
  using scratch = gpu.arena.scratch();
  const [h, z, m] = [[rows, width], [rows, vocab], [rows, width]].map((shape) => scratch.f32(shape, "bench"));
  const [info, chosen] = [scratch.u32([rows, 4], "info"), scratch.u32([rows], "chosen")];
  const record = {
    tokens: scratch.u32([rows, 1], "tokens"),
    stats: scratch.f32([rows, 1, 4], "stats"),
    column: 0,
  };
  const key = { seed: 1, domain: 1, step: 1 };
  gpu.commands.upload(h, Float32Array.from(randomArray(1, rows * width, deviation / Math.sqrt(width))));
  gpu.commands.upload(info, Uint32Array.from({ length: rows * 4 }, (_, i) => i % 4 === 0 ? i / 4 : 1));
  const parts = {
    head: () => matmulNT(gpu, h, embedding, z),
    sample: () => choose(gpu, "sample", z, vocab, 1, info, 0, record, chosen, key),
    weights: () => choose(gpu, "mixture", z, vocab, 1, info, 0, record, chosen, key),
    mixture: () => matmulNN(gpu, z, embedding, m, { sparse: true }),
  };
  const timed = async (names: (keyof typeof parts)[]) => {
    const start = performance.now();
    for (const name of names) parts[name]();
    await gpu.reader.read(chosen);
    return performance.now() - start;
  };
  const taken: { hard: number; soft: number; head: number; mixture: number }[] = [];
  for (let round = 0; round <= rounds; round++) {
    const hard = await timed(["head", "sample"]);
    const soft = await timed(["head", "weights", "mixture"]);
    const mixture = await timed(["mixture"]); // of the weights that the last one left
    const head = await timed(["head"]);
    if (round > 0) taken.push({ hard, soft, head, mixture });
  }
  const [hard, soft, mixture] = (["hard", "soft", "mixture"] as const).map((name) =>
    median(taken.map((all) => all[name]))
  );
  return {
    milliseconds: [hard, soft, mixture],
    share: median(taken.map(({ hard, soft }) => hard / soft)),
    speed: median(taken.map(({ head, mixture }) => head / mixture)),
  };
}

const lines: string[][] = [];
for (const vocab of numbers(values.vocabularies)) {
  const embedding = createMatrix(gpu, vocab, width, "f32", "embedding");
  // A block of random rows over and over: quick to make, and no pair of them is near.
  const block = Float32Array.from(randomArray(2, 1021 * width));
  for (let row = 0; row < vocab; row += 1021) {
    uploadRows(gpu, embedding, row, block.subarray(0, Math.min(1021, vocab - row) * width));
  }
  for (const rows of numbers(values.rows)) {
    for (const [shape, deviation] of SHAPES) {
      const { milliseconds, share, speed } = await measure(embedding, rows, deviation);
      const cells = [vocab, rows, shape, ...milliseconds.map((ms) => ms.toFixed(2))].map(String);
      lines.push([...cells, share.toFixed(2), speed.toFixed(2)]);
      console.error(lines[lines.length - 1].join("  "));
    }
  }
  freeMatrix(gpu, embedding);
}
console.log(
  `device: ${gpu.adapter.name}; embedding [vocabulary, ${width}] in f32, medians of ${rounds} rounds`,
);
console.log(
  table(lines, {
    header: [
      "vocabulary",
      "rows",
      "logits",
      "hard ms",
      "soft ms",
      "mixture ms",
      "hard / soft",
      "head / mixture",
    ],
    align: ["left"],
  }),
);
gpu.close();
