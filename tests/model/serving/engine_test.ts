import { assert, assertEquals, assertRejects } from "@std/assert";
import { openGpu } from "../../../gpu/device/open_gpu.ts";
import { generateJobs } from "../../../model/generation/generate_jobs.ts";
import type { Rollout } from "../../../model/generation/rollout.ts";
import { thinkingRules } from "../../../model/generation/thinking_text.ts";
import { QueueFullError } from "../../../model/serving/admission.ts";
import { createEngine, type EngineOptions } from "../../../model/serving/engine.ts";
import type { KeyedSteps, ServedToken, ServingJob } from "../../../model/serving/serving_job.ts";
import { hardThinking } from "../../../model/thinking/hard.ts";
import { wayOfThinking } from "../../../model/thinking/ways.ts";
import { randomModel, tokenizer } from "../support/small_models.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => gpu.close());
const model = randomModel(gpu);

const DRAWS = { seed: 3, step: 9 };
const ENDS = Array.from({ length: 13 }, (_, i) => i * 6);
const OPTIONS: EngineOptions = {
  ...DRAWS,
  atOnce: 8,
  cacheRows: 700,
  context: 120,
  mostWaiting: 50,
  prefillRows: 32,
};

const way = (name: Parameters<typeof wayOfThinking>[0], gamma = 0.3, tau?: number): KeyedSteps => ({
  thinking: wayOfThinking(name, { greedy: false, gamma, tau, embeddingRms: 0.05 }),
  key: `${name} ${gamma} ${tau}`,
});
const token = (tau: number, topK?: number): KeyedSteps => ({
  thinking: hardThinking(tau, topK === undefined ? {} : { topK }),
  key: `token ${tau} ${topK}`,
});

/** What a request may ask for, all unlike each other. */
const KINDS: Pick<ServingJob, "steps" | "plain">[] = [
  { steps: { thinking: token(1), answer: token(0) }, plain: true },
  { steps: { thinking: token(0.7, 5), answer: token(0.7, 5) }, plain: true },
  { steps: { thinking: token(1), answer: token(1) }, plain: false },
  { steps: { thinking: way("soft"), answer: token(0) }, plain: false },
  { steps: { thinking: way("soft", 0.7, 1), answer: token(0.5) }, plain: false },
  { steps: { thinking: way("fuzzy"), answer: token(0) }, plain: false },
  { steps: { thinking: way("multiplex"), answer: token(0) }, plain: false },
  { steps: { thinking: way("soft-thinking"), answer: token(1, 3) }, plain: false },
];

const prompt = (number: number): number[] =>
  Array.from({ length: [1, 40, 2, 7, 33, 70][number % 6] }, (_, i) => (7 * i + 11 * number) % 70);

interface Heard {
  rollouts: Rollout[];
  tokens: ServedToken[][];
  forced: (readonly number[])[];
}

/** A job that keeps what it is told. */
function listening(
  given: Partial<ServingJob> & Pick<ServingJob, "prompt">,
): { job: ServingJob; heard: Heard } {
  const heard: Heard = { rollouts: [], tokens: [], forced: [] };
  const rules = thinkingRules(tokenizer, { maxThinking: 18, maxAnswer: 5, endTokenIds: ENDS });
  const job: ServingJob = {
    ...{
      request: {},
      keys: [5],
      rules,
      observed: { logits: false, mixture: false },
      signal: new AbortController().signal,
    },
    ...KINDS[0],
    onTokens(choice, _part, tokens) {
      (heard.tokens[choice] ??= []).push(...tokens);
      return false;
    },
    onAnswer: (choice, forced) => void (heard.forced[choice] = forced),
    onEnd: (choice, rollout) => void (heard.rollouts[choice] = rollout),
    ...given,
  };
  return { job, heard };
}

/** What training's and evaluation's generation makes of a job. */
async function generated({ prompt, keys, steps, rules, plain }: ServingJob): Promise<Rollout[]> {
  const rollouts: Rollout[] = [];
  const settings = {
    thinking: steps.thinking.thinking,
    rules,
    answerTau: steps.answer.thinking.tau,
    plain,
    ...DRAWS,
  };
  await generateJobs(model, tokenizer, [{ prompt, rolloutIds: keys }], settings, {
    onRollout: (rollout) => void (rollouts[rollout.index] = rollout),
  });
  return rollouts;
}

/** Other work, in two parts. */
async function* inTwo<T>(make: () => T | Promise<T>): AsyncGenerator<void, T> {
  yield;
  return await make();
}

const withoutPlace = (rollouts: readonly Rollout[]) =>
  rollouts.map(({ prompt: _, index: __, ...rest }) => rest);

for (const readBehind of [false, true]) {
  Deno.test(`jobs of all kinds in a crowd get what generation gives each alone, to the bit${readBehind ? ", read behind" : ""}`, () =>
    crowd(readBehind));
}

async function crowd(readBehind: boolean): Promise<void> {
  const engine = createEngine(model, tokenizer, { ...OPTIONS, readBehind });
  const all = Array.from({ length: 24 }, (_, i) => {
    const kind = KINDS[i % KINDS.length];
    return listening({ prompt: prompt(i), keys: i % 5 === 0 ? [i, i + 100, i + 200] : [i], ...kind });
  });
  await Promise.all(all.map(async ({ job }, i) => {
    // They come while others run.
    await new Promise((resolve) => setTimeout(resolve, i % 7 * 20));
    await engine.submit(job);
  }));
  for (const { job, heard } of all) {
    // Answers of generation have no filters.
    if (job.steps.answer.key.endsWith("undefined") || job.plain) {
      assertEquals(withoutPlace(heard.rollouts), withoutPlace(await generated(job)), job.steps.thinking.key);
    }
    assertEquals(
      heard.tokens.map((tokens) => tokens.map(({ id }) => id)),
      heard.rollouts.map(({ thinking, answer }) => [...thinking, ...answer]),
    );
    if (!job.plain) assertEquals(heard.forced, heard.rollouts.map(({ forced }) => forced));
  }
  const lengths = new Set(all.flatMap(({ heard }) => heard.rollouts.map(({ thinking }) => thinking.length)));
  assert(lengths.size > 5, `${lengths.size} lengths`);
  assertEquals([engine.figures().running, engine.figures().waiting, engine.figures().usedRows], [0, 0, 0]);
  await engine.close();
}

Deno.test("prompts that begin alike share keys and values, and their texts are the same as without", async () => {
  const engine = createEngine(model, tokenizer, { ...OPTIONS, prefillRows: 16 });
  const common = prompt(5);
  const prompts = [common, [...common, 1, 2, 3], common.slice(0, 50), [...common.slice(0, 30), 9, 9, 9], [
    ...common,
    4,
  ]];
  const jobs = [0, 1].flatMap((round) =>
    prompts.map((prompt, i) =>
      listening({ prompt, keys: i === 1 ? [1, 2] : [i], ...KINDS[(2 * i + round) % 4] })
    )
  );
  for (const jobsNow of [jobs.slice(0, 5), jobs.slice(5)]) {
    await Promise.all(jobsNow.map(({ job }) => engine.submit(job)));
  }
  for (const { job, heard } of jobs) {
    assertEquals(withoutPlace(heard.rollouts), withoutPlace(await generated(job)));
  }
  const { sharedTokens, promptTokens } = engine.figures();
  assert(sharedTokens > 400, `${sharedTokens} tokens shared`);
  assert(promptTokens < 250, `${promptTokens} tokens computed`);
  await engine.close();
});

Deno.test("who gives up leaves, also half a prompt that others wait for, and the others go on", async () => {
  const engine = createEngine(model, tokenizer, { ...OPTIONS, prefillRows: 16, readBehind: true });
  const common = Array.from({ length: 80 }, (_, i) => i % 70);
  const gone = new AbortController();
  const first = listening({ prompt: common, signal: gone.signal });
  const second = listening({ prompt: [...common, 3], keys: [1, 2], ...KINDS[3] });
  const running = engine.submit(first.job);
  const others = engine.submit(second.job);
  await new Promise((resolve) => setTimeout(resolve, 1));
  gone.abort();
  await running;
  await others;
  assertEquals(first.heard.rollouts, []);
  assertEquals(withoutPlace(second.heard.rollouts), withoutPlace(await generated(second.job)));
  const stopped = listening({ prompt: common, onTokens: () => true });
  await engine.submit(stopped.job);
  assertEquals(stopped.heard.rollouts, []);
  assertEquals(engine.figures().usedRows, 0);
  await engine.close();
});

Deno.test("more than may wait is refused; a job of many choices leaves room for others", async () => {
  const engine = createEngine(model, tokenizer, { ...OPTIONS, atOnce: 2, mostWaiting: 2 });
  const ended: string[] = [];
  const named = (name: string, keys: number[]) => {
    const { job } = listening({ prompt: prompt(3), keys, ...KINDS[2] });
    return engine.submit({ ...job, onEnd: () => void ended.push(name) });
  };
  const many = named("many", Array.from({ length: 12 }, (_, i) => i));
  const one = named("one", [77]);
  await assertRejects(() => named("more", [1]), QueueFullError);
  await Promise.all([many, one]);
  assertEquals(ended.length, 13);
  assert(ended.indexOf("one") < 6, ended.join());
  await engine.close();
});

Deno.test("a request of many prompts waits as one, and leaves room for others as one", async () => {
  const engine = createEngine(model, tokenizer, { ...OPTIONS, atOnce: 2, mostWaiting: 2 });
  const ended: string[] = [];
  const asked = (request: { name: string }, key: number) => {
    const { job } = listening({ request, prompt: prompt(3), keys: [key], ...KINDS[2] });
    return engine.submit({ ...job, onEnd: () => void ended.push(request.name) });
  };
  const [many, one] = [{ name: "many" }, { name: "one" }];
  const all = Array.from({ length: 12 }, (_, i) => asked(many, i));
  const last = asked(one, 77);
  const work = engine.between(one, inTwo(() => 1));
  assertEquals(engine.figures().waiting, 2);
  await assertRejects(() => asked({ name: "more" }, 1), QueueFullError);
  await assertRejects(() => engine.between({}, inTwo(() => 2)), QueueFullError);
  await Promise.all([...all, last, work]);
  assertEquals(ended.length, 13);
  assert(ended.indexOf("one") < 6, ended.join());
  await engine.close();
});

Deno.test("who gave up is told nothing more, of the same stride neither", async () => {
  const engine = createEngine(model, tokenizer, OPTIONS);
  const gone = new AbortController();
  const giveUp = listening({
    prompt: prompt(3),
    onTokens() {
      gone.abort();
      return false;
    },
  });
  const given = listening({ prompt: prompt(3), signal: gone.signal });
  await Promise.all([giveUp, given].map(({ job }) => engine.submit(job)));
  assertEquals(given.heard.tokens, []);
  await engine.close();
});

Deno.test("what a job's listener throws ends that job alone, wherever it throws", async () => {
  const engine = createEngine(model, tokenizer, { ...OPTIONS, readBehind: true });
  const fault = (where: string) => () => {
    throw new TypeError(where);
  };
  const faulty = (["onTokens", "onAnswer", "onEnd"] as const).map((where, i) =>
    listening({ prompt: prompt(i), keys: [i, i + 50], ...KINDS[3], [where]: fault(where) })
  );
  const noThinking = thinkingRules(tokenizer, { maxThinking: 0, maxAnswer: 5, endTokenIds: ENDS });
  faulty.push(listening({ prompt: prompt(4), ...KINDS[3], rules: noThinking, onAnswer: fault("at once") }));
  const whole = KINDS.map((kind, i) => listening({ prompt: prompt(i), keys: [i], ...kind }));
  const [failed] = await Promise.all([
    Promise.allSettled(faulty.map(({ job }) => engine.submit(job))),
    ...whole.map(({ job }) => engine.submit(job)),
  ]);
  assertEquals(
    failed.map((one) => one.status === "rejected" && `${one.reason}`),
    ["onTokens", "onAnswer", "onEnd", "at once"].map((where) => `TypeError: ${where}`),
  );
  const alone = listening({ prompt: prompt(3), ...KINDS[3] });
  await engine.submit(alone.job);
  for (const { job, heard } of [...whole.filter(({ job }) => job.plain), alone]) {
    assertEquals(withoutPlace(heard.rollouts), withoutPlace(await generated(job)));
  }
  assertEquals([engine.figures().running, engine.figures().usedRows], [0, 0]);
  await engine.close();
});

Deno.test("logits and mixtures are seen as they are, whoever else runs", async () => {
  const engine = createEngine(model, tokenizer, { ...OPTIONS, readBehind: true });
  const seeing = KINDS.map((kind, i) =>
    listening({ prompt: prompt(i), observed: { logits: i % 2 === 0, mixture: i > 2 }, ...kind })
  );
  await Promise.all(seeing.map(({ job }) => engine.submit(job)));
  const { vocabSize } = model.config;
  for (const { job, heard: { tokens: [tokens], rollouts: [{ thinking }] } } of seeing) {
    tokens.forEach(({ logits, mixture, gap }, i) => {
      assertEquals(logits?.length, job.observed.logits ? vocabSize : undefined);
      if (logits) {
        const [first, second] = [...logits.subarray(0, model.config.usedVocabSize)].sort((a, b) => b - a);
        assertEquals(Math.fround(first - second), gap);
      }
      const isThought = i < thinking.length;
      assertEquals(mixture?.length, job.observed.mixture && isThought ? vocabSize : undefined);
      if (mixture && job.steps.thinking.thinking.leaves === "weights") {
        const sum = mixture.reduce((sum, weight) => sum + weight, 0);
        assert(Math.abs(sum - 1) < 1e-3, `${sum}`);
      }
    });
  }
  await engine.close();
});

Deno.test("other work is done between strides, and its failure is its own", async () => {
  const engine = createEngine(model, tokenizer, OPTIONS);
  const { job, heard } = listening({ prompt: prompt(1), ...KINDS[3] });
  const running = engine.submit(job);
  assertEquals(await engine.between({}, inTwo(() => 7)), 7);
  await assertRejects(
    () => engine.between({}, inTwo(() => Promise.reject(new TypeError("its own")))),
    TypeError,
    "its own",
  );
  const never = inTwo(() => Promise.reject(new Error("it was begun")));
  await assertRejects(() => engine.between({}, never, AbortSignal.abort()), DOMException, "aborted");
  // Strides come between its parts; who gives up lets go of what it held.
  const gone = new AbortController();
  let [parts, held] = [0, true];
  async function* long(): AsyncGenerator<void, never> {
    try {
      for (;;) {
        if (++parts === 5) gone.abort();
        yield;
      }
    } finally {
      held = false;
    }
  }
  const strides = engine.figures().strides;
  await assertRejects(() => engine.between({}, long(), gone.signal), DOMException, "aborted");
  assertEquals([parts, held], [5, false]);
  assert(engine.figures().strides > strides);
  await running;
  assertEquals(withoutPlace(heard.rollouts), withoutPlace(await generated(job)));
  await engine.close();
  await assertRejects(() => engine.submit(job), Error, "the engine was closed");
});
