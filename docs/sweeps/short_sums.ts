/**
 * Word problems of one addition or doubling, in the words of the embedded task `sums`: for small pretrained models, which are asked in plain
 * English by their chat template. Streams have different questions; the same numbers may stand in several, with other names and things.
 *
 *     softcot eval docs/sweeps/short_sums.ts --model MODEL --chat-template
 */
import { seededUniform } from "../../eval/seeded_uniform.ts";
import { type Stream, streamOf } from "../../eval/task.ts";
import { drawAnyProblem, questionText, SUMS, type SumsOptions } from "../../eval/tasks/sums_problem.ts";

const SHORT: SumsOptions = { ...SUMS, minOperations: 1, maxOperations: 1, maxOperand: 9, maxScaled: 12 };
const SIZES: Record<Stream, number> = { train: 2048, validation: 128, test: 256 };

/** The first different problems of each stream. */
function questions(): Record<Stream, { question: string; gold: string }[]> {
  const uniform = seededUniform(0, 0);
  const found: Record<Stream, Map<string, string>> = {
    train: new Map(),
    validation: new Map(),
    test: new Map(),
  };
  while (Object.entries(found).some(([stream, asked]) => asked.size < SIZES[stream as Stream])) {
    const problem = drawAnyProblem(SHORT, uniform);
    if (problem.operations[0].sign === "-") continue;
    const question = questionText(problem);
    const stream = streamOf(question);
    if (found[stream].size < SIZES[stream]) found[stream].set(question, `${problem.totals.at(-1)}`);
  }
  const listed = (stream: Stream) => [...found[stream]].map(([question, gold]) => ({ question, gold }));
  return { train: listed("train"), validation: listed("validation"), test: listed("test") };
}

export default {
  name: "short-sums",
  about: "word problems of one addition or doubling",
  limits: { maxThinking: 24, maxThinkingEval: 24, answerTokens: 8 },
  // Alone: told to reason step by step, a model of this size answers one question in fourteen, without it two in five.
  prompt: (question: string) => question,
  questions: questions(),
};
