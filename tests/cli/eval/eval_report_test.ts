import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { EvaluationReport } from "../../../cli/eval/evaluation_report.ts";
import { describeEvaluation } from "../../../cli/eval/describe_evaluation.ts";
import type { ModeResult } from "../../../eval/measures/mode_result.ts";
import type { Mode } from "../../../eval/modes.ts";

Deno.test("what decides the number stands in the table: limits, the noise where there is some, the error of none right", () => {
  const mode = (name: Mode, value: number, passAt: number[]): ModeResult => ({
    ...{
      mode: name,
      samples: passAt.length > 1 ? 4 : 1,
      reward: 0,
      thinkingLength: 9,
      tokens: 90,
      seconds: 2,
    },
    ...{
      accuracy: { value, standardError: 0.1, questions: 1 },
      tokensPerSecond: 45,
      flops: 1e9,
      questions: [],
    },
    ...{ extracted: { value: 1, standardError: 0.1, questions: 1 }, entropy: 0.5, entropyByPosition: [] },
    ended: { "trigger": 0.25, "end-token": 0.1, "limit": 0.65 },
    passAt: passAt.map((k) => ({ k, value, standardError: 0.1, questions: 1 })),
  });
  const shown = (modes: ModeResult[], more: Partial<EvaluationReport> = {}) =>
    describeEvaluation({
      ...{ task: { name: "t", version: 2, promptHash: "", questionsHash: "" }, split: "test", questions: 1 },
      ...{ limited: true, samples: 4, seed: 3, gamma: 0.33, maxThinking: 512, answerTokens: 64, shots: 0 },
      ...{ chatTemplate: false, filters: {}, trainedOn: null, modes },
      model: { name: "m", hash: "0123456789abcdef", parameters: 5, weights: "f16", embeddingRms: 1 },
      device: { name: "a card", software: false, subgroupSize: 32, matmulFamily: "tile" },
      versions: { softcot: "0", deno: "2" },
      ...more,
    });
  const hard = shown([mode("hard-greedy", 0.5, [1])]).split("\n");
  assertEquals(hard.slice(0, 3), [
    "t v2, first test question (limited), at most 512 thinking and 64 answer tokens, seed 3",
    "model m (0123456789ab), f16 weights, on a card",
    "",
  ]);
  assertEquals(hard[3].split(/ {2,}/).slice(4, 7), ["by trigger", "at limit", "entropy"]);
  assertEquals(hard[5].split(/ {2,}/).slice(4, 7), ["0.250", "0.650", "0.5000"]);
  assertEquals(hard.length, 6);
  const soft = shown([mode("hard-greedy", 1, [1]), mode("soft-sample", 0.5, [1, 2, 4])], { limited: false });
  assertStringIncludes(
    soft,
    "t v2, 1 test question, 4 samples, at most 512 thinking and 64 answer tokens, gamma 0.33,",
  );
  assertMatch(soft, /^pass@2 +0\.500 ± 0\.100$/m);
  assertMatch(soft, /^pass@4 +0\.500 ± 0\.100$/m);
  assertStringIncludes(soft, "the ± is that of a share of (c + 1) / (n + 2)");
  assert(soft.split("\n").every((line) => line.length <= 120), soft);
});
