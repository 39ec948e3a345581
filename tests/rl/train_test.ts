/** The loop around updates: what validation asks, which checkpoint is the best, and what is counted over updates. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Stream, Task } from "../../eval/task.ts";
import { UserError } from "../../gpu/errors.ts";
import { hardThinking } from "../../model/thinking/hard.ts";
import { freeModel } from "../../model/transformer/transformer.ts";
import type { RolloutSource } from "../../rl/rollout_source.ts";
import { createRun } from "../../rl/run/run.ts";
import { readState, type RunState } from "../../rl/run/run_state.ts";
import { type MetricsLine, train } from "../../rl/train.ts";
import type { UpdatePart } from "../../rl/update_part.ts";
import { NatsRefusal } from "../../rl/workers/nats_patience.ts";
import { openTestGpu } from "../gpu/support.ts";
import { jsonLines } from "../support/json_lines.ts";
import { inRun } from "./support/saved_run.ts";
import { freeTrainer, SMALL_TRAINING, smallTrainer } from "./support/small_trainer.ts";
import { tinyModel } from "./support/tiny_model.ts";

const { gpu } = await openTestGpu();
const STEPS = 5;
const SCHEDULE = {
  ...{ steps: STEPS, validateEvery: 2, validationQuestions: 3, saveEvery: 2, keep: 9 },
  printEvery: 0,
};

/** A run of updates that change nothing, so that all validations are equal: what was asked, logged and told. */
async function runOf(
  folder: string,
  hooked: (line: MetricsLine) => void = () => {},
  from: (source: RolloutSource) => RolloutSource = (source) => source,
) {
  const model = tinyModel(gpu);
  const whole = smallTrainer(model, hardThinking(1), { ...SMALL_TRAINING, lr: 0, steps: STEPS });
  const trainer = { ...whole, source: from(whole.source) };
  const asked: Stream[] = [];
  const task: Task = {
    ...trainer.task,
    question(stream, ...at) {
      asked.push(stream);
      return trainer.task.question(stream, ...at);
    },
  };
  const kernels = { adapter: "a", matmulFamily: "broadcast", subgroupSize: 8 };
  const { forcedIds } = trainer.rules;
  const state: RunState = { step: 0, tokens: 0, best: null, embeddingRms: 1, forcedIds, kernels };
  const run = createRun(folder, "");
  const stop = new AbortController();
  const parts: UpdatePart[] = [];
  const reached = await train({ ...trainer, task }, run, SCHEDULE, state, {
    onStep: hooked,
    onPart: (part) => parts.push(part),
    signal: stop.signal,
  }).finally(() => {
    run.close();
    freeTrainer(trainer);
    freeModel(model);
  });
  return { asked, reached, parts, lines: jsonLines(`${folder}/metrics.jsonl`) as unknown as MetricsLine[] };
}

Deno.test("updates ask training questions, validations validation questions, and nobody those of the test", () =>
  inRun(async (folder) => {
    const { asked } = await runOf(folder);
    assertEquals(new Set(asked), new Set(["train", "validation"]));
  }));

Deno.test("each part of an update is told from none to all of it, rollouts with their tokens", () =>
  inRun(async (folder) => {
    const { parts, lines } = await runOf(folder);
    let [from, step] = [0, 0];
    for (let to = 1; to <= parts.length; to++) {
      if (parts[to]?.part === parts[from].part) continue;
      const told = parts.slice(from, to);
      const { part, total, done, tokens } = told.at(-1)!;
      assertEquals([told[0].done, done], [0, total], part);
      assert(told.every((next, i) => i === 0 || next.done >= told[i - 1].done), part);
      if (part === "rollouts") {
        assertEquals(total, SMALL_TRAINING.questions * SMALL_TRAINING.group);
        assertEquals(tokens, lines[step++].tokens);
      }
      from = to;
    }
    const order = parts.map(({ part }) => part).filter((part, i, all) => part !== all[i - 1]);
    const update = ["rollouts", "micro-batches"];
    assertEquals(order, [1, 2, 3, 4, 5].flatMap((n) => n % 2 && n < 5 ? update : [...update, "validation"]));
  }));

Deno.test("of equal validations the latest is the best; every one is due after so many updates, and after the last", () =>
  inRun(async (folder) => {
    const { reached, lines } = await runOf(folder);
    const validated = lines.filter(({ validation_accuracy }) => validation_accuracy !== undefined);
    assertEquals(validated.map(({ step }) => step), [2, 4, 5]);
    assertEquals(new Set(validated.map(({ validation_accuracy }) => validation_accuracy)).size, 1);
    assertEquals(reached.best, { step: 5, accuracy: validated[0].validation_accuracy });
    assertEquals(Deno.readTextFileSync(`${folder}/best`), "checkpoints/step-000005\n");
    assertEquals(readState(`${folder}/checkpoints/step-000004`).best?.step, 4);
  }));

Deno.test("tokens are counted from the first update on, in the log, on the way and in checkpoints", () =>
  inRun(async (folder) => {
    const told: number[] = [];
    const { reached, lines } = await runOf(folder, ({ tokens_seen }) => told.push(tokens_seen));
    let sum = 0;
    for (const line of lines) {
      assert(line.tokens > 0);
      assertEquals(line.tokens_seen, sum += line.tokens);
    }
    assertEquals([told.length, told.at(-1), reached.tokens], [STEPS, sum, sum]);
    assertEquals(readState(`${folder}/checkpoints/step-000005`).tokens, sum);
  }));

Deno.test("rollouts that workers cannot be asked for any more end a run that is saved first", () =>
  inRun(async (folder) => {
    const refused = new NatsRefusal("Cannot go on with the NATS server: it does not let us in", "renew them");
    const failing = (source: RolloutSource): RolloutSource => ({
      ...source,
      rollouts: (step, ...more) => step === 4 ? Promise.reject(refused) : source.rollouts(step, ...more),
    });
    const error = await assertRejects(() => runOf(folder, () => {}, failing), UserError, refused.message);
    assertEquals(error.hint, "renew them");
    assertEquals(readState(`${folder}/checkpoints/step-000003`).step, 3);
  }));
