import { assert, assertEquals, assertRejects } from "@std/assert";
import { openGpu } from "../../../gpu/device/open_gpu.ts";
import { UserError } from "../../../gpu/errors.ts";
import { generateJobs } from "../../../model/generation/generate_jobs.ts";
import type { GenerationJob, GenerationSettings, Rollout } from "../../../model/generation/rollout.ts";
import { createStopwatch } from "../../../model/generation/stopwatch.ts";
import { PREFILL_ROWS } from "../../../model/generation/prefill.ts";
import { prefixRows } from "../../../model/memory/cache_budget.ts";
import { thinkingRules } from "../../../model/generation/thinking_text.ts";
import { gaussianThinking } from "../../../model/thinking/gaussian.ts";
import { hardThinking } from "../../../model/thinking/hard.ts";
import type { Gpu } from "../../../gpu/gpu.ts";
import type { Model } from "../../../model/transformer/transformer.ts";
import { idOf, randomModel, scriptedModel, SMALL, tokenizer } from "../support/small_models.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => gpu.close());

// A sixth of all tokens end thinking or answer: rollouts differ in length.
const ENDS = Array.from({ length: 13 }, (_, i) => i * 6);
const WAYS = {
  hard: hardThinking(1),
  greedy: hardThinking(0),
  soft: gaussianThinking("soft", 0.5, 0.01),
};

/** Prompts of 1 to 60 tokens; 1 to 5 rollouts of each. */
const JOBS = Array.from({ length: 17 }, (_, job): GenerationJob => {
  const length = [1, 60, 5, 9, 33][job % 5] + job % 3;
  return {
    prompt: Array.from({ length }, (_, i) => (7 * i + 11 * job) % 70),
    rolloutIds: Array.from({ length: 1 + job % 5 }, (_, i) => job * 8 + i),
  };
});

const settings = (way: keyof typeof WAYS, more: Partial<GenerationSettings> = {}): GenerationSettings => ({
  thinking: WAYS[way],
  rules: thinkingRules(tokenizer, { maxThinking: 26, maxAnswer: 5, endTokenIds: ENDS }),
  answerTau: way === "greedy" ? 0 : 1,
  seed: 3,
  step: 9,
  ...more,
});

/** Rollouts by the number that keys their draws, and the order in which they ended. */
async function roll(
  jobs: readonly GenerationJob[],
  given: GenerationSettings,
  model: (gpu: Gpu) => Model = randomModel,
) {
  const rollouts = new Map<number, Omit<Rollout, "prompt" | "index">>();
  const order: number[] = [];
  const ids = jobs.flatMap(({ rolloutIds }) => Array.from(rolloutIds));
  await generateJobs(model(gpu), tokenizer, jobs, given, {
    onRollout({ prompt, index, ...rest }, seconds) {
      assert(Array.from(jobs[prompt].rolloutIds).includes(ids[index]) && seconds >= 0);
      rollouts.set(ids[index], rest);
      order.push(ids[index]);
    },
  });
  assertEquals([rollouts.size, order.length], [ids.length, ids.length]);
  return { rollouts, order };
}

for (const way of Object.keys(WAYS) as (keyof typeof WAYS)[]) {
  Deno.test(`${way}: slots, their number and who had them before decide nothing`, async () => {
    const whole = await roll(JOBS, settings(way));
    const lengths = new Set([...whole.rollouts.values()].map(({ thinking }) => thinking.length));
    assert(lengths.size > 5, `rollouts of ${lengths.size} lengths`);
    for (const atOnce of [1, 2, 5, 16]) {
      const few = await roll(JOBS, settings(way, { atOnce }));
      assertEquals(few.rollouts, whole.rollouts, `${atOnce} at once`);
    }
    for (const atOnce of [3, 50]) {
      const behind = await roll(JOBS, settings(way, { atOnce, readBehind: true }));
      assertEquals(behind.rollouts, whole.rollouts, `${atOnce} at once, read behind`);
    }
    const reversed = await roll(JOBS.toReversed(), settings(way, { atOnce: 6 }));
    assertEquals(reversed.rollouts, whole.rollouts);
    const last = JOBS.slice(-1).map(({ prompt, rolloutIds }) => ({ prompt, rolloutIds: [rolloutIds[1]] }));
    const alone = await roll(last, settings(way));
    assertEquals(alone.rollouts.get(alone.order[0]), whole.rollouts.get(alone.order[0]));
  });
}

for (
  const [what, maxThinking, ends] of [
    ["all think to the limit", 8, []],
    ["most think to the limit, others end just before it", 7, [3, 9]],
    ["the limit is far", 26, ENDS],
  ] as const
) {
  for (const way of ["hard", "soft"] as const) {
    Deno.test(`${way}, read behind: ${what}: the device is waited for once, at the end`, async () => {
      const rules = thinkingRules(tokenizer, { maxThinking, maxAnswer: 5, endTokenIds: [...ends] });
      const jobs = JOBS.slice(0, 9);
      const at = await roll(jobs, settings(way, { rules, readBehind: false }));
      const { result, reads, waits } = await countWaits(() =>
        roll(jobs, settings(way, { rules, readBehind: true }))
      );
      assertEquals(result.rollouts, at.rollouts);
      assert(reads >= 4, `${reads} reads`);
      assertEquals(waits, 1);
    });
  }
}

/** Each token leads to the next: how a text goes on, and when, is known. */
const SCRIPT = " Assistant: Sam has 1 + 2 = 3. The final answer is:";
const scripted = (gpu: Gpu): Model =>
  scriptedModel(
    gpu,
    tokenizer.encode(SCRIPT).map((id) => tokenizer.decode([id])),
    [" \\boxed{", "9", "}"],
    [" Ann", " buys", " cups", "<end>"],
    [" Tom", " buys"],
  );
const startingWith = (...texts: string[]): GenerationJob[] =>
  texts.map((text, i) => ({ prompt: [idOf(text)], rolloutIds: [i] }));

for (const way of ["greedy", "soft"] as const) {
  Deno.test(`${way}, read behind: an answer begun before the last thoughts were known is begun again where they end otherwise`, async () => {
    const thoughts = tokenizer.encode(SCRIPT).length - 1;
    let [early, byTrigger, byEnd] = [0, 0, 0];
    // Alone, so that nothing else keeps the device busy, and two that end a step apart.
    for (
      const texts of [[" Assistant:"], [" Ann"], [" Assistant:", " Sam"], [" Ann", " buys"], [" Ann", " Sam"]]
    ) {
      for (let maxThinking = 1; maxThinking <= thoughts + 4; maxThinking++) {
        const rules = thinkingRules(tokenizer, { maxThinking, maxAnswer: 4, endTokenIds: [idOf("<end>")] });
        const jobs = startingWith(...texts);
        const expected = await roll(jobs, settings(way, { rules, readBehind: false }), scripted);
        const behind = await roll(jobs, settings(way, { rules, readBehind: true }), scripted);
        assertEquals(behind.rollouts, expected.rollouts, `${texts}, at most ${maxThinking} thoughts`);
        for (const { thinking, thinkingEnd, forcedKind, answer } of expected.rollouts.values()) {
          assertEquals(tokenizer.decode(answer), "9}");
          assertEquals(forcedKind === "triggerAndBox", thinkingEnd !== "trigger");
          if (thinkingEnd === "limit") early++;
          if (thinkingEnd === "trigger" && thinking.length === maxThinking) byTrigger++;
          if (thinkingEnd === "end-token" && thinking.length < maxThinking) byEnd++;
        }
      }
    }
    assert(early > 10 && byTrigger >= 2 && byEnd > 10, `${early}, ${byTrigger}, ${byEnd} of the cases`);
  });
}

for (const way of ["hard", "soft"] as const) {
  Deno.test(`${way}, read behind: where all thoughts are in one stride some end before the limit, and their answers have other places`, async () => {
    const jobs = JOBS.slice(0, 4);
    let ended = 0;
    for (let maxThinking = 1; maxThinking <= 9; maxThinking++) {
      const rules = thinkingRules(tokenizer, { maxThinking, maxAnswer: 5, endTokenIds: ENDS });
      const expected = await roll(jobs, settings(way, { rules, readBehind: false }));
      const behind = await roll(jobs, settings(way, { rules, readBehind: true }));
      assertEquals(behind.rollouts, expected.rollouts, `at most ${maxThinking} thoughts`);
      for (const { thinking } of expected.rollouts.values()) if (thinking.length < maxThinking) ended++;
    }
    assert(ended > 20, `${ended} ended before the limit`);
  });
}

Deno.test("one that ends its thinking among many that go on is answered after sixteen strides at most", async () => {
  const model = scriptedModel(gpu, [" Ann", "<end>"], [" Tom", " Tom"], [" \\boxed{", "}"]);
  const rules = thinkingRules(tokenizer, { maxThinking: 160, maxAnswer: 2, endTokenIds: [idOf("<end>")] });
  const told = new Map<number, number>();
  let strides = 0;
  const jobs = startingWith(" Ann", ...Array(5).fill(" Tom"));
  await generateJobs(model, tokenizer, jobs, settings("greedy", { rules }), {
    onRollout: ({ index }) => void told.set(index, strides),
    onStride: () => void strides++,
  });
  assert(told.get(0)! <= 18 && told.get(1)! >= 40, `told after ${[...told.values()]} strides`);
});

Deno.test("what has ended its thinking early is answered and told long before the others end, its wait uncounted", async () => {
  const rules = thinkingRules(tokenizer, { maxThinking: 180, maxAnswer: 2, endTokenIds: [6] });
  const jobs = JOBS.slice(3, 5);
  const total = jobs.reduce((sum, { rolloutIds }) => sum + rolloutIds.length, 0);
  const told: { thoughts: number; strides: number; seconds: number; at: number }[] = [];
  let [strides, tokens] = [0, 0];
  const began = performance.now();
  await generateJobs(randomModel(gpu), tokenizer, jobs, settings("hard", { rules, step: 1 }), {
    onRollout({ thinking, answer }, seconds) {
      tokens -= thinking.length + answer.length;
      told.push({ thoughts: thinking.length, strides, seconds, at: (performance.now() - began) / 1000 });
    },
    onStride(count) {
      strides++;
      tokens += count;
    },
  });
  assertEquals([told.length, tokens], [total, 0]);
  assert(told.some(({ thoughts }) => thoughts < 100), "some end early");
  assert(strides > 40, `${strides} strides`);
  for (const { thoughts, strides } of told) {
    assert(
      strides <= Math.ceil(thoughts / 4) + 16 + 1,
      `${thoughts} thoughts were told after ${strides} strides`,
    );
  }
  for (const { seconds, at } of told) assert(seconds > 0 && seconds <= at, `${seconds} of ${at} s`);
});

Deno.test("a stopwatch counts what lies between its starts and stops", () => {
  let time = 0;
  const watch = createStopwatch(() => time);
  assertEquals(watch.seconds(), 0);
  time = 1000;
  watch.start();
  time = 3000;
  watch.start();
  assertEquals(watch.seconds(), 2);
  watch.stop();
  time = 9000;
  watch.stop();
  assertEquals(watch.seconds(), 2);
  watch.start();
  time = 9500;
  assertEquals(watch.seconds(), 2.5);
});

/** Reads that `work` makes from the device, and those of them that nothing had been given to the device after. */
async function countWaits<T>(work: () => Promise<T>): Promise<{ result: T; reads: number; waits: number }> {
  const { start } = gpu.reader;
  let [reads, waits] = [0, 0];
  gpu.reader.start = (tensor) => {
    const fetch = start(tensor);
    const { submits } = gpu.commands.counts;
    return () => {
      reads++;
      if (gpu.commands.counts.submits === submits) waits++;
      return fetch();
    };
  };
  try {
    const result = await work();
    return { result, reads, waits };
  } finally {
    gpu.reader.start = start;
  }
}

Deno.test("with as many slots rollouts end in the same order, however long the device takes", async () => {
  const { order } = await roll(JOBS, settings("hard", { atOnce: 7 }));
  assertEquals((await roll(JOBS, settings("hard", { atOnce: 7 }))).order, order);
  assert(order.some((id, i) => i > 0 && id < order[i - 1]), "some end before others that began first");
});

Deno.test("prompts longer than a pass are prefilled in pieces, to the same bits", async () => {
  const config = { ...SMALL, maxPosition: 3000 };
  const model = randomModel(gpu, config);
  const long = Array.from({ length: 2 * PREFILL_ROWS + 77 }, (_, i) => (5 * i) % 70);
  const jobs = [
    { prompt: [1, 2, 3], rolloutIds: [1] },
    { prompt: long, rolloutIds: [2, 3] },
    { prompt: long.slice(0, PREFILL_ROWS - 3), rolloutIds: [4] },
  ];
  const run = async (jobs: GenerationJob[], atOnce: number) => {
    const found = new Map<number, unknown>();
    await generateJobs(model, tokenizer, jobs, settings("soft", { atOnce }), {
      onRollout: ({ index, prompt, ...rest }) =>
        void found.set(jobs[prompt].rolloutIds[0] * 10 + index % 2, rest),
    });
    return found;
  };
  const together = await run(jobs, 4);
  assertEquals(together.size, 4);
  assertEquals(await run(jobs, 1), together);
});

Deno.test("many long prompts at once wait for KV rows, which they take from no one", async () => {
  const jobs = Array.from({ length: 26 }, (_, job): GenerationJob => ({
    prompt: Array.from({ length: job < 8 ? 60 + job : 2 }, (_, i) => (3 * i + job) % 70),
    rolloutIds: [job],
  }));
  const lengths = jobs.map(({ prompt }) => prompt.length);
  const shape = {
    promptTokens: Math.max(...lengths),
    meanPromptTokens: lengths.reduce((sum, length) => sum + length, 0) / jobs.length,
    prompts: jobs.length,
    group: 1,
    maxNewTokens: 40,
  };
  const longest = lengths.slice(0, 8).reduce((sum, length) => sum + length, 0);
  assert(prefixRows(10, shape) < longest, "not all long prompts find KV rows together");
  assertEquals(prefixRows(26, shape), lengths.reduce((sum, length) => sum + length, 0));
  assertEquals(prefixRows(1, shape), Math.max(...lengths));
  const whole = await roll(jobs, settings("hard"));
  for (const atOnce of [3, 10]) {
    assertEquals((await roll(jobs, settings("hard", { atOnce }))).rollouts, whole.rollouts);
  }
});

Deno.test("a text may fill the model's context to the last position, and no further", async () => {
  const rules = thinkingRules(tokenizer, { maxThinking: 26, maxAnswer: 5, endTokenIds: [] });
  const most = SMALL.maxPosition - 26 - 5 -
    Math.max(...Object.values(rules.forcedIds).map((ids) => ids.length));
  const jobs = (length: number) => [{ prompt: Array(length).fill(5), rolloutIds: [0, 1] }];
  const { rollouts } = await roll(jobs(most), settings("soft", { rules }));
  for (const { thinking, answer, answerStats } of rollouts.values()) {
    assertEquals([thinking.length, answer.length], [26, 5]);
    assert(answerStats.logp.every(Number.isFinite));
  }
  await assertRejects(
    () => roll(jobs(most + 1), settings("soft", { rules })),
    UserError,
    "context holds 256",
  );
});

Deno.test("no jobs, and jobs without rollouts, come to nothing", async () => {
  await roll([], settings("hard"));
  const { order } = await roll([{ prompt: [1, 2], rolloutIds: [] }, JOBS[0]], settings("hard"));
  assertEquals(order, [0]);
});

Deno.test("an aborted signal stops between strides", async () => {
  const stop = new AbortController();
  let heard = 0;
  const given = settings("hard", { atOnce: 2, signal: stop.signal });
  const running = generateJobs(randomModel(gpu), tokenizer, JOBS, given, {
    onRollout: () => {
      if (++heard === 5) stop.abort();
    },
  });
  const error = await assertRejects(() => running);
  assertEquals((error as Error).name, "AbortError");
  assert(heard < 8, `${heard} ended`);
});
