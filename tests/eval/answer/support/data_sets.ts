/** The data sets that tests of the checker read, where they lie beside the repository. */
import { existsSync } from "node:fs";
import { parquetReadObjects } from "hyparquet";
import { lastBox } from "../../../../eval/answer/box.ts";
import { shared } from "../../../support/places.ts";
import { jsonLines } from "../../../support/json_lines.ts";

const data = `${shared}data/`;

/** Whether the data sets are there; tells once if not. */
export const hasData = existsSync(data);
if (!hasData) console.log("skipped: ../shared/data is absent, tests on public data sets do not run");

export const readText = (path: string): string => Deno.readTextFileSync(data + path);

export const readLines = (path: string) => jsonLines(data + path);

/** A gold answer and the question it belongs to. */
export interface Gold {
  set: string;
  question: string;
  gold: string;
}

/** Every non-empty gold answer of the five data sets. */
export async function readGolds(): Promise<Gold[]> {
  const golds: Gold[] = [];
  const add = (set: string, question: string, gold: string | null) => {
    if (gold !== null && gold.trim() !== "") golds.push({ set, question, gold });
  };
  for (const part of ["train", "test"]) {
    for (const row of readLines(`gsm8k/${part}.jsonl`)) {
      add("GSM8K", row.question, row.answer.split("####").at(-1).trim());
    }
    for (const row of readLines(`math/${part}.jsonl`)) add("MATH", row.problem, lastBox(row.solution));
  }
  for (const row of readLines("math/math500.jsonl")) add("MATH-500", row.problem, lastBox(row.solution));
  for (const row of readLines("olympiadbench/test.jsonl")) {
    add("OlympiadBench", row.question, row.final_answer[0]);
  }
  for (const part of ["subset_a", "subset_b"]) {
    const bytes = Deno.readFileSync(`${data}deepscaler/${part}.parquet`);
    const rows = await parquetReadObjects({ file: bytes.buffer as ArrayBuffer });
    for (const row of rows) add("DeepScaleR", row.prompt[0].content, row.reward_model.ground_truth);
  }
  return golds;
}

/** A sequence of numbers in [0, 1) that is the same in every run. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
