/**
 * What a model wrote before and after training, side by side as Markdown: the first so many questions, greedily, from two folders of
 * `softcot eval --out`. Which questions are shown is a number, not a choice.
 *
 *     ./softcot eval docs/sweeps/short_sums.ts --chat-template --mode hard-greedy --limit 10 --model MODEL --out before
 *     ./softcot eval docs/sweeps/short_sums.ts --chat-template --mode hard-greedy --limit 10 --model RUN --out after
 *     ./softcot deno run --allow-read docs/show_texts.ts before after > texts.md
 *
 * @module
 */
import type { RolloutRecord } from "../eval/results/rollout_record.ts";

if (Deno.args.length !== 2) {
  console.error(
    "error: Cannot show texts: two folders are needed\nhint: show_texts.ts BEFORE AFTER > texts.md",
  );
  Deno.exit(2);
}
const [before, after] = Deno.args.map(readGreedy);
const rows = before.flatMap((record) => {
  const later = after.find(({ id }) => id === record.id);
  if (!later) return [];
  return [
    `**${record.index + 1}.** ${record.question} (${record.gold})`,
    `- before, ${told(record)}: ${quoted(record.text)}\n- after, ${told(later)}: ${quoted(later.text)}`,
  ];
});
console.log(rows.join("\n\n"));

/** The greedy rollouts of a folder of results, in the order of the questions. */
function readGreedy(folder: string): RolloutRecord[] {
  const file = [...Deno.readDirSync(folder)].map(({ name }) => name)
    .find((name) => name.endsWith("hard-greedy.jsonl"));
  if (file === undefined) throw new Error(`Cannot show texts: ${folder} has no hard-greedy rollouts`);
  const lines = Deno.readTextFileSync(`${folder}/${file}`).trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line)).sort((a, b) => a.index - b.index);
}

function told({ correct }: RolloutRecord): string {
  return correct ? "right" : "wrong";
}

/** As code, on one line; a longer fence than any in the text. */
function quoted(text: string): string {
  const fence = "`".repeat(1 + Math.max(0, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length)));
  return `${fence} ${text.trim().replaceAll(/\s*\n\s*/g, " ⏎ ")} ${fence}`;
}
