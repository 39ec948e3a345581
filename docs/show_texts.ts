/**
 * What models wrote, one below the other as Markdown: the first so many questions, greedily, from folders of `softcot eval --out`, each of which
 * gives its name. Which questions are shown is a number, not a choice.
 *
 *     ./softcot eval docs/sweeps/short_sums.ts --chat-template --mode hard-greedy --limit 10 --model MODEL --out before
 *     ./softcot eval docs/sweeps/short_sums.ts --chat-template --mode hard-greedy --limit 10 --model RUN --out after
 *     ./softcot deno run --allow-read docs/show_texts.ts before after > texts.md
 *
 * @module
 */
import { basename } from "node:path";
import type { RolloutRecord } from "../eval/results/rollout_record.ts";

if (Deno.args.length === 0) {
  console.error("error: Cannot show texts: a folder is needed\nhint: show_texts.ts BEFORE AFTER > texts.md");
  Deno.exit(2);
}
const written = Deno.args.map((folder) => ({ name: basename(folder), records: readGreedy(folder) }));
const rows = written[0].records.map(({ id, index, question, gold }) => {
  const texts = written.flatMap(({ name, records }) => {
    const record = records.find((one) => one.id === id);
    return record === undefined ? [] : [`- ${name}, ${told(record)}: ${quoted(record.text)}`];
  });
  return `**${index + 1}.** ${question} (${gold})\n\n${texts.join("\n")}`;
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
