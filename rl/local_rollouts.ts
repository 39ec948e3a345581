import { gradeInPlace, type Grader } from "../eval/grader.ts";
import { promptOf, type PromptOptions } from "../eval/questions/prompt_ids.ts";
import type { Question, Task } from "../eval/task.ts";
import type { AskedJobs, JobRunner } from "../model/generation/generate_jobs.ts";
import { generate, jobsOf } from "../model/generation/generate.ts";
import type { GenerationSettings, Rollout } from "../model/generation/rollout.ts";
import { generatedText, type ThinkingRules } from "../model/generation/thinking_text.ts";
import type { Thinking } from "../model/thinking/thinking.ts";
import type { Tokenizer } from "../model/tokenizer/tokenizer.ts";
import type { Model } from "../model/transformer/transformer.ts";
import { type Reward, TASK_REWARD, worthOf } from "./reward.ts";
import type { GradedRollout, RolloutGroup, RolloutSource } from "./rollout_source.ts";

/** What a local source needs. */
export interface LocalRollouts {
  /** The model in training, or a copy of it, or what it was some updates ago. */
  model: Model;
  /** Brings a copy up to date: called before the rollouts of each update. */
  refresh?: () => void;
  /** Its tokenizer. */
  tokenizer: Tokenizer;
  /** Writes prompts, grades answers. */
  task: Task;
  /** How steps of thinking are taken. */
  thinking: Thinking;
  /** When thinking and answer end. */
  rules: ThinkingRules;
  /** G, rollouts of a question. */
  group: number;
  /** Of all draws. */
  seed: number;
  /** How questions are put; plainly where it is left out. */
  prompt?: PromptOptions;
  /** Judges the answers; in this thread where it is left out. */
  grader?: Grader;
  /** What counts; the task's own grade where it is left out. */
  rewards?: readonly Reward[];
  /** Whether the device gets new work before tokens are looked at. */
  readBehind?: GenerationSettings["readBehind"];
  /** Who generates; this device where it is left out. */
  run?: JobRunner;
  /** Told of what `run` will be asked for later, where who generates can begin with it. */
  begin?: (...asked: AskedJobs) => Promise<void>;
}

/**
 * Rollouts made in this process by the model that is being trained: strictly on-policy; or by a copy in f16, which is
 * off it by rounding: the metrics' mismatch tells how far; or by what it was some updates ago.
 */
export function localRollouts(source: LocalRollouts): RolloutSource {
  const { model, tokenizer, task, thinking, rules, group, seed } = source;
  const requestOf = async (step: number, questions: readonly Question[], first: number) => ({
    prompts: await Promise.all(
      questions.map(async ({ question }) => (await promptOf(tokenizer, task, question, source.prompt)).ids),
    ),
    rolloutIds: Uint32Array.from({ length: questions.length * group }, (_, i) => first + i),
    ...{ group, thinking, rules, answerTau: 1, seed, step, readBehind: source.readBehind },
  });
  const { begin } = source;
  return {
    ...(begin && {
      async begin(step: number, questions: readonly Question[], first = 0) {
        const request = await requestOf(step, questions, first);
        await begin(model, tokenizer, jobsOf(request), request);
      },
    }),
    async rollouts(step, questions, scratch, first = 0, onProgress) {
      const started = performance.now();
      source.refresh?.();
      const request = await requestOf(step, questions, first);
      const batch = await generate(model, tokenizer, request, scratch, source.run, onProgress);
      const generated = performance.now();
      const graded = await gradeAll(source, questions, batch.rollouts);
      const groups = questions.map((question, b): RolloutGroup => ({
        question,
        prompt: request.prompts[b],
        rollouts: graded.slice(b * group, (b + 1) * group),
      }));
      const seconds = {
        generate: (generated - started) / 1000,
        grade: (performance.now() - generated) / 1000,
      };
      return { groups, hidden: batch.hidden, seconds };
    },
  };
}

/** The task's verdicts, and what they and the run's other rewards come to. */
async function gradeAll(
  { task, tokenizer, rules, grader = gradeInPlace(task), rewards = TASK_REWARD }: LocalRollouts,
  questions: readonly Question[],
  rollouts: readonly Rollout[],
): Promise<GradedRollout[]> {
  const answers = rollouts.map(({ answer }) => generatedText(tokenizer, answer, rules));
  const grades = await grader.grade(
    rollouts.map(({ prompt }, i) => {
      const { gold, precision } = questions[prompt];
      return { gold, continuation: answers[i], precision };
    }),
  );
  return await Promise.all(rollouts.map(async (rollout, i): Promise<GradedRollout> => {
    const { question, gold } = questions[rollout.prompt];
    const grade = grades[i];
    const { total, parts } = await worthOf(rewards, grade.reward, () => {
      const shadow = generatedText(tokenizer, rollout.thinking, rules);
      return {
        question,
        gold,
        text: shadow + tokenizer.decode(rollout.forced) + answers[i],
        shadow,
        boxed: grade.answer,
        correct: grade.correct,
        thinkingTokens: rollout.thinking.length,
      };
    });
    return { rollout, grade, reward: total, rewards: parts };
  }));
}
