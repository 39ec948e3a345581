/**
 * kill -9 at random points of train, eval, sft and export: a command is killed again and again, gone on with each time, until it ends by itself; then
 * what it made is held against what one made that was never stopped, to the byte, and the next one is begun.
 *
 *     ./softcot deno run -A tests/faults/kill_points.ts [--kills 50] [--seed 1]
 *
 * Ends with 1 where anything differed, or a command that was killed could not be gone on with.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { parseArgs } from "node:util";
import { table } from "../../cli/terminal/table.ts";
import { seededUniform } from "../../eval/seeded_uniform.ts";
import { isThere, namesIn } from "../../model/files/on_disk.ts";
import { writeModel } from "../cli/support/model_folder.ts";
import { assertSameRun, linesIn } from "../rl/support/run_files.ts";
import { randomModel, SMALL } from "../model/support/small_models.ts";
import { timeless } from "../support/timeless.ts";
import { assertSameEval } from "./support/assert_same_eval.ts";
import { assertSameFiles } from "../support/assert_same_files.ts";
import { runStruck } from "./support/run_struck.ts";

const { values } = parseArgs({
  options: { kills: { type: "string", default: "50" }, seed: { type: "string", default: "1" } },
});
const seed = Number(values.seed);
const folder = Deno.makeTempDirSync({ prefix: "softcot-kill-points-" });

/** A command that is killed. */
interface Victim {
  name: string;
  /** Its command line, into a folder in which it may have been killed before. */
  args(out: string): string[];
  /** Fails unless two folders hold the same. */
  compare(actual: string, expected: string): void;
  /** How much of its work is on disk: it must never be less. */
  kept(out: string): number;
}

const newestCheckpoint = (run: string) =>
  Math.max(0, ...namesIn(`${run}/checkpoints`).map((name) => Number(/^step-(\d+)$/.exec(name)?.[1] ?? 0)));

const big = `${folder}/big`;
const VICTIMS: Victim[] = [
  {
    name: "train",
    args: (out) =>
      isThere(`${out}/config.toml`) ? ["train", "--resume", "--out", out] : [
        ...[
          "train",
          "--questions",
          "2",
          "--group",
          "8",
          "--steps",
          "24",
          "--save-every",
          "3",
          "--validate-every",
          "6",
        ],
        ...["--validation-questions", "16", "--test-questions", "8", "--sample-every", "2", "--out", out],
      ],
    compare(actual, expected) {
      assertSameRun(actual, expected);
      assertSameFiles(actual, expected, "shape.json");
      const [ours, theirs] = [actual, expected].map((run) =>
        timeless(JSON.parse(Deno.readTextFileSync(`${run}/tests.json`)))
      );
      assertEquals(ours, theirs);
    },
    kept: newestCheckpoint,
  },
  {
    name: "eval",
    args: (out) => [
      ...["eval", "sums", "owners", "--limit", "40", "--samples", "4", "--batch-rows", "32", "--seed", "3"],
      ...["--out", out],
    ],
    compare: assertSameEval,
    kept: (out) =>
      namesIn(out).filter((name) => name.endsWith(".jsonl")).reduce(
        (sum, name) => sum + linesIn(`${out}/${name}`),
        0,
      ),
  },
  {
    name: "sft",
    args: (out) =>
      isThere(`${out}/unfinished/config.toml`)
        ? ["sft", "--resume", "--out", out]
        : ["sft", "--steps", "60", "--batch", "16", "--save-every", "8", "--out", out],
    compare: (actual, expected) => assertSameFiles(actual, expected),
    kept: (out) => isThere(`${out}/model.safetensors`) ? Infinity : newestCheckpoint(`${out}/unfinished`),
  },
  {
    name: "export",
    args: (out) => ["model", "export", big, "--out", `${out}/there`],
    compare: (actual, expected) => assertSameFiles(`${actual}/there`, `${expected}/there`),
    kept: (out) => isThere(`${out}/there`) ? Infinity : 0,
  },
];

/** Something whose export takes a while: 50 million weights. */
async function writeBig(): Promise<void> {
  const shape = { hiddenSize: 512, layers: 12, heads: 8, kvHeads: 8, headDim: 64, intermediateSize: 2048 };
  await writeModel(big, (gpu) => randomModel(gpu, { ...SMALL, ...shape }));
}

/** Kills a command `kills` times, at points drawn evenly over the first nine tenths of the time that it takes. */
async function killAtRandom({ name, args, compare, kept }: Victim, kills: number, label: number) {
  const random = seededUniform(seed, label);
  const whole = `${folder}/${name}-whole`;
  const began = performance.now();
  const first = await runStruck(args(whole));
  assertEquals(first.code, 0, first.stderr);
  const takes = performance.now() - began;
  const points: number[] = [];
  let [compared, resumedFrom] = [0, 0];
  while (points.length < kills) {
    const out = `${folder}/${name}-${compared}`;
    for (let before = 0;;) {
      // The last kills are given, too, before a command may end in peace.
      const strike = points.length < kills
        ? { signal: "SIGKILL" as const, after: 0.9 * takes * random() }
        : undefined;
      const { code, signal, isStruck, stderr } = await runStruck(args(out), strike);
      if (!isStruck || signal === null) {
        assertEquals(code, 0, `${name} after ${points.length} kills: ${stderr}`);
        break;
      }
      points.push(strike!.after / takes);
      const now = kept(out);
      assert(now >= before, `${name}: ${now} kept after a kill, ${before} before it`);
      if (now > 0) resumedFrom++;
      before = now;
      console.log(
        `${name}  kill ${points.length} at ${(strike!.after / 1000).toFixed(2)} s of ${
          (takes / 1000).toFixed(1)
        }: ${now} kept`,
      );
    }
    compare(out, whole);
    // What killed processes left beside is gone with the one that came through.
    const beside = [...namesIn(folder), ...namesIn(out)].filter((name) => /\.(tmp|partial)$/.test(name));
    assertEquals(beside, [], `${name} leaves ${beside}`);
    compared++;
    Deno.removeSync(out, { recursive: true });
  }
  return [name, `${(takes / 1000).toFixed(1)}`, points.length, resumedFrom, compared];
}

const rows: unknown[][] = [];
try {
  await writeBig();
  const each = Math.ceil(Number(values.kills) / VICTIMS.length);
  let left = Number(values.kills);
  for (const [label, victim] of VICTIMS.entries()) {
    rows.push(await killAtRandom(victim, Math.min(each, left), label));
    left -= Math.min(each, left);
  }
} finally {
  console.log(`\nseed ${seed}\n${
    table(rows, {
      header: ["command", "s, unbroken", "kills", "with something kept", "ends compared, all equal"],
    })
  }`);
  Deno.removeSync(folder, { recursive: true });
}
