/**
 * `./softcot train` as README has it: its time, what it learned, and whether rollouts and training agree.
 *
 *     deno run -A tests/gpu_hour/measure_train.ts [--tiny]
 */
import { root } from "../support/places.ts";
import type { Figure } from "./part.ts";

const tiny = Deno.args.includes("--tiny");
const few = ["--steps", "2", "--test-questions", "4", "--max-thinking", "24"];
const folder = await Deno.makeTempDir({ prefix: "softcot-gpu-hour-" });
try {
  const child = new Deno.Command(`${root}softcot`, {
    args: ["train", "--json", "--quiet", "--out", `${folder}/run`, ...(tiny ? few : [])],
    ...{ stdin: "null", stdout: "piped", stderr: "inherit" },
  });
  const { code, stdout } = await child.output();
  if (code !== 0) Deno.exit(code);
  const { seconds, tests } = JSON.parse(new TextDecoder().decode(stdout));
  const steps = Deno.readTextFileSync(`${folder}/run/metrics.jsonl`).trim().split("\n").map((line) =>
    JSON.parse(line)
  );
  const accuracy = (of: { mode: string; accuracy: { value: number } }[]) =>
    of.find(({ mode }) => mode === "hard-greedy")!.accuracy.value;
  const figures: Figure[] = [
    { what: "updates", value: steps.length, unit: "" },
    { what: "all of it", value: seconds, unit: "s", near: "45 on two cores without a GPU" },
    { what: "largest mismatch", value: Math.max(...steps.map(worstMismatch)), unit: "", near: "0" },
    { what: "hard-greedy before", value: accuracy(tests.before), unit: "" },
    {
      what: "hard-greedy after",
      value: accuracy(tests.after),
      unit: "",
      near: "0.978 +- 0.006 over three seeds",
    },
  ];
  console.log(JSON.stringify({ figures }));
} finally {
  await Deno.remove(folder, { recursive: true });
}

function worstMismatch(step: Record<string, number | undefined>): number {
  return Math.max(step.mismatch_thinking_max ?? 0, step.mismatch_answer_max ?? 0);
}
