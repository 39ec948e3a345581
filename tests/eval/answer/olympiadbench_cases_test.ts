import { assertEquals } from "@std/assert";
import { verify } from "../../../eval/answer/verify.ts";
import { hasData, readText } from "./support/data_sets.ts";

interface Example {
  GT: string;
  Ans: { answer: string; equal: boolean; precision?: string | number | number[] }[];
}

Deno.test({
  name: "OlympiadBench's scoring examples: 36 of 36, tolerances as given",
  ignore: !hasData,
  fn() {
    const examples: Example[] = JSON.parse(readText("olympiadbench/scoring_examples.json"));
    const wrong: string[] = [];
    let pairs = 0;
    for (const { GT, Ans } of examples) {
      for (const { answer, equal, precision } of Ans) {
        pairs++;
        // A number here is an absolute tolerance, never a count of decimals: a list says so.
        const tolerance = typeof precision === "number" ? [precision] : precision;
        if (verify(GT, answer, { precision: tolerance }).equal !== equal) wrong.push(`${GT} | ${answer}`);
      }
    }
    console.log(`OlympiadBench scoring examples: ${pairs - wrong.length} of ${pairs}`);
    assertEquals(wrong, []);
    assertEquals(pairs, 36);
  },
});
