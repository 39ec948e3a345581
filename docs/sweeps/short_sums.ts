/**
 * Word problems of one addition or subtraction, in the words of the embedded task `sums`: for small pretrained models, which are asked in plain
 * English by their chat template.
 *
 *     softcot eval docs/sweeps/short_sums.ts --model MODEL --chat-template
 */
import { arithmetic, drawProblem, questionText, type SumsOptions } from "../../eval/tasks/sums_problem.ts";
import type { Stream } from "../../eval/task.ts";

const SHORT: SumsOptions = {
  ...{ minOperations: 1, maxOperations: 1, minStart: 2, maxStart: 20 },
  ...{ maxOperand: 15, maxResult: 35, scales: [], maxScaled: 0 },
};
const SIZES: Record<Stream, number> = { train: 4096, validation: 128, test: 256 };

/** The first different problems of a stream. */
function questionsOf(stream: Stream): { question: string; gold: string }[] {
  const found = new Map<string, { question: string; gold: string }>();
  for (let index = 0; found.size < SIZES[stream] && index < 100 * SIZES[stream]; index++) {
    const problem = drawProblem(SHORT, stream, 0, index, 0);
    const key = `${problem.name} ${problem.object} ${arithmetic(problem)}`;
    if (!found.has(key)) {
      found.set(key, { question: questionText(problem), gold: `${problem.totals.at(-1)}` });
    }
  }
  return [...found.values()];
}

export default {
  name: "short-sums",
  about: "word problems of one addition or subtraction",
  limits: { maxThinking: 48, maxThinkingEval: 48, answerTokens: 8 },
  questions: {
    train: questionsOf("train"),
    validation: questionsOf("validation"),
    test: questionsOf("test"),
  },
};
