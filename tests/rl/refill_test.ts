/** Questions without a difference are followed by others: which, with whose draws, and that the update is that of all groups together. */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import type { Scratch } from "../../gpu/arena.ts";
import type { Tensor } from "../../gpu/tensor.ts";
import type { Question } from "../../eval/task.ts";
import { drawRollouts } from "../../rl/refill.ts";
import type { RolloutBatch, RolloutGroup } from "../../rl/rollout_source.ts";
import type { Trainer } from "../../rl/trainer.ts";
import { openTestGpu } from "../gpu/support.ts";

const t = await openTestGpu();
const [QUESTIONS, GROUP, STEPS, D] = [3, 2, 2, 4];

interface Call {
  step: number;
  questions: string[];
  first: number;
}

/** A trainer whose rollouts of question i are worth what `rewards` says; fed rows hold the number of their rollout. */
function stub(rewards: (question: string) => number[], refill: number, calls: Call[]): Trainer {
  const source = {
    async rollouts(
      step: number,
      questions: readonly Question[],
      scratch: Scratch,
      first = 0,
    ): Promise<RolloutBatch> {
      calls.push({ step, questions: questions.map(({ id }) => id), first });
      const hidden: Tensor = scratch.f32([questions.length * GROUP, STEPS, D], "fed");
      const numbers = Float32Array.from(
        { length: questions.length * GROUP * STEPS * D },
        (_, i) => first + Math.floor(i / (STEPS * D)),
      );
      t.gpu.commands.upload(hidden, numbers);
      const groups = questions.map((question, b): RolloutGroup => ({
        question,
        prompt: [b],
        rollouts: rewards(question.id).map((reward, g) => ({
          rollout: { index: b * GROUP + g },
          reward,
        } as unknown as RolloutGroup["rollouts"][number])),
      }));
      return await Promise.resolve({ groups, hidden, seconds: { generate: 1, grade: 0.5 } });
    },
  };
  const task = {
    question: (_: string, seed: number, index: number) => ({
      id: `${seed}:${index}`,
      question: "",
      gold: "",
    }),
  };
  const settings = { questions: QUESTIONS, group: GROUP, seed: 7, refill };
  return { model: { gpu: t.gpu }, source, task, settings } as unknown as Trainer;
}

const REFILL = 2 ** 25;

Deno.test("as many further questions as groups without a difference, with draws and numbers of their own", async () => {
  using scratch = t.gpu.arena.scratch();
  const calls: Call[] = [];
  // Of the first three questions one tells, of the further ones the first of each attempt.
  const rewards = (id: string) =>
    ["7:3", `7:${REFILL + 3}`, `7:${2 * REFILL + 3}`].includes(id) ? [0, 100] : [10, 10];
  const batch = await drawRollouts(stub(rewards, 5, calls), 2, scratch);
  assertEquals(calls, [
    { step: 2, questions: ["7:3", "7:4", "7:5"], first: 0 },
    { step: 2, questions: [`7:${REFILL + 3}`, `7:${REFILL + 4}`], first: 6 },
    { step: 2, questions: [`7:${2 * REFILL + 3}`], first: 10 },
  ]);
  const numbers = batch.groups.flatMap(({ rollouts }) => rollouts.map(({ rollout }) => rollout.index));
  assertEquals(numbers, Array.from({ length: 12 }, (_, i) => i));
  assertEquals(batch.hidden.shape, [12, STEPS, D]);
  const fed = await t.read(batch.hidden);
  numbers.forEach((number) => assertEquals(fed[number * STEPS * D], number));
  assertEquals(batch.seconds, { generate: 3, grade: 1.5 });
});

Deno.test("at most so many times; none without being asked for, and none where every group tells", async () => {
  using scratch = t.gpu.arena.scratch();
  const count = async (rewards: number[], refill: number) => {
    const calls: Call[] = [];
    const { groups } = await drawRollouts(stub(() => rewards, refill, calls), 1, scratch);
    return [calls.length, groups.length];
  };
  assertEquals(await count([10, 10], 2), [3, 9]);
  assertEquals(await count([10, 10], 0), [1, 3]);
  assertEquals(await count([0, 10], 4), [1, 3]);
  const [one, other]: Call[][] = [[], []];
  await drawRollouts(stub(() => [1, 1], 1, one), 1, scratch);
  await drawRollouts(stub(() => [1, 1], 1, other), 2, scratch);
  assertNotEquals(one[1].questions, other[1].questions);
  assert(!one[1].questions.some((id) => other[1].questions.includes(id)));
});

Deno.test("a question that is in the batch already is not asked again", async () => {
  using scratch = t.gpu.arena.scratch();
  const calls: Call[] = [];
  const trainer = stub(() => [1, 1], 3, calls);
  // A set of four questions, whose order has come round.
  const task = {
    question: (_: string, __: number, index: number) => ({ id: `${index % 4}`, question: "", gold: "" }),
  };
  const { groups } = await drawRollouts({ ...trainer, task } as unknown as Trainer, 1, scratch);
  assertEquals(groups.map(({ question }) => question.id), ["0", "1", "2"]);
  const other = {
    question: (_: string, __: number, index: number) => ({
      id: `${(index + Math.floor(index / 2 ** 25)) % 4}`,
      question: "",
      gold: "",
    }),
  };
  const further = await drawRollouts({ ...trainer, task: other } as unknown as Trainer, 1, scratch);
  assertEquals(further.groups.map(({ question }) => question.id), ["0", "1", "2", "3"]);
});
