import { assert, assertAlmostEquals, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { evaluate } from "../../eval/evaluate.ts";
import { type EvaluateOptions, type EvaluationProgress, MOST_SAMPLES } from "../../eval/evaluate_options.ts";
import type { ModeResult } from "../../eval/measures/mode_result.ts";
import { ALL_MODES, inferenceMode, type Mode, MODES } from "../../eval/modes.ts";
import type { RolloutRecord } from "../../eval/results/rollout_record.ts";
import { takeQuestions } from "../../eval/questions/take_questions.ts";
import { createGrader } from "../../eval/grader.ts";
import { createTokenForecast } from "../../eval/token_forecast.ts";
import { sums } from "../../eval/tasks/sums.ts";
import { openGpu } from "../../gpu/device/open_gpu.ts";
import { UserError } from "../../gpu/errors.ts";
import { rolloutFlops } from "../../model/transformer/flops.ts";
import type { Model } from "../../model/transformer/transformer.ts";
import { randomModel, scriptedModel, SMALL, tokenizer } from "../model/support/small_models.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => gpu.close());

const OPTIONS: EvaluateOptions = {
  modes: MODES,
  embeddingRms: 0.02,
  gamma: 0.5,
  stream: "test",
  seed: 11,
  questions: 5,
  samples: 3,
  maxThinking: 13,
};

/** Rollouts, by mode, question and sample, and results; clocks apart, all of it should repeat. */
async function measure(model: Model, options: Partial<EvaluateOptions> = {}) {
  const ended: RolloutRecord[] = [];
  const results = await evaluate(model, tokenizer, sums, {
    ...OPTIONS,
    onRollout: (record) => ended.push(record),
    ...options,
  });
  const place = ({ mode, index, sample }: RolloutRecord) =>
    (ALL_MODES.indexOf(mode) * 1e4 + index) * 1e4 + sample;
  const records = ended.toSorted((a, b) => place(a) - place(b)).map(({ time: _, ...rest }) => rest);
  return { ended, records, results, timeless: timelessly(results) };
}

const timelessly = (results: readonly ModeResult[]) =>
  results.map(({ seconds: _, tokensPerSecond: __, ...rest }) => rest);

/** Ends at a sixth of all tokens, so that rollouts differ in length. */
const restless = () =>
  randomModel(gpu, { ...SMALL, eosTokenIds: Array.from({ length: 13 }, (_, i) => i * 6) });

Deno.test("batches decide nothing: one rollout at a time gives what all at once give", async () => {
  const model = restless();
  const whole = await measure(model);
  assertEquals(whole.records.length, 5 * (3 * 1 + 3 * 3));
  assert(new Set(whole.records.map(({ thinkingTokens }) => thinkingTokens.length)).size > 4);
  for (const batchRows of [1, 2, 7]) {
    const parts = await measure(model, { batchRows });
    assertEquals(parts.records, whole.records);
    assertEquals(parts.timeless, whole.timeless);
  }
});

Deno.test("sample s of question q is the same however many samples and questions are taken", async () => {
  const model = restless();
  const modes: Mode[] = ["hard-sample", "soft-sample", "fuzzy-sample"];
  const few = await measure(model, { modes, questions: 2, samples: 2 });
  const many = await measure(model, { modes, questions: 4, samples: 5 });
  const ids = new Set(few.records.map(({ id }) => id));
  assertEquals(many.records.filter(({ id, sample }) => ids.has(id) && sample < 2), few.records);
  const again = await measure(model, { modes, questions: 2, samples: 2 });
  assertEquals([again.records, again.timeless], [few.records, few.timeless]);
  const other = await measure(model, { modes, questions: 2, samples: 2, seed: 12 });
  const tokens = (records: { thinkingTokens: number[] }[]) =>
    records.map((record) => record.thinkingTokens.join());
  assert(tokens(other.records).every((text, i) => text !== tokens(few.records)[i]));
});

Deno.test("no two samples of any questions share their draws: where all tokens are alike, no two texts are", async () => {
  const model = scriptedModel(gpu);
  const { records } = await measure(model, { modes: ["hard-sample"], questions: 12, samples: 4 });
  const texts = records.map(({ thinkingTokens }) => thinkingTokens.join()).filter((text) =>
    text.split(",").length > 4
  );
  assert(texts.length > 30, `${texts.length} texts of more than four tokens`);
  assertEquals(new Set(texts).size, texts.length);
});

Deno.test("answers are greedy in every mode: each token is at least as probable as the mean one", async () => {
  const { records } = await measure(randomModel(gpu, { ...SMALL, eosTokenIds: [] }), { answerTokens: 6 });
  const least = -Math.log(SMALL.usedVocabSize);
  const tokens = records.flatMap(({ answerTokens, answerLogProbabilities }) =>
    answerTokens.map((_, i) => answerLogProbabilities[i])
  );
  assert(tokens.length > 100);
  assert(tokens.every((logp) => logp >= least), `${tokens.filter((logp) => logp < least).length} are not`);
});

Deno.test("sampled modes draw, greedy ones do not", async () => {
  const model = restless();
  const { records } = await measure(model, { questions: 1, samples: 8 });
  for (const mode of MODES) {
    const texts = records.filter((record) => record.mode === mode).map((record) =>
      record.thinkingTokens.join()
    );
    assertEquals(texts.length, mode.endsWith("sample") ? 8 : 1);
    if (mode === "hard-sample") assert(new Set(texts).size > 4);
  }
});

Deno.test("shares, lengths and tokens of a model that always thinks and answers the same", async () => {
  const thought = [" 1", " +", " 2", " =", " 3", ".", " The", " final", " answer", " is:"];
  const model = scriptedModel(gpu, [" Assistant:", ...thought], [" \\boxed{", "9", "}"]);
  const questions = takeQuestions(sums, "test", 11, 60);
  const right = questions.filter(({ gold }) => gold === "9").length;
  assert(right > 0 && right < 30, `${right} of 60 are 9`);
  const { results, records } = await measure(model, { questions: 60, samples: 2 });
  assertEquals(results.map(({ mode }) => mode), [...MODES]);
  for (const result of results) {
    const samples = result.mode.endsWith("sample") ? 2 : 1;
    assertEquals([result.samples, result.tokens], [samples, 60 * samples * 12]);
    assertAlmostEquals(result.accuracy.value, right / 60, 1e-12);
    assertEquals(result.passAt.map(({ k }) => k), samples === 2 ? [1, 2] : [1]);
    // Both samples are alike, so a second one finds nothing new.
    for (const { value, standardError } of result.passAt) {
      assertAlmostEquals(value, right / 60, 1e-12);
      assertAlmostEquals(standardError, Math.sqrt(right / 60 * (1 - right / 60) / 60), 0.01);
    }
    assertEquals([result.extracted.value, result.thinkingLength], [1, 10]);
    assertEquals(result.ended, { "trigger": 1, "end-token": 0, "limit": 0 });
    assertAlmostEquals(result.reward, 10 + 90 * right / 60, 1e-9);
    assertEquals(result.entropyByPosition.map(({ count }) => count), Array(10).fill(60 * samples));
    assertAlmostEquals(result.entropy!, 0, 1e-3);
    assertEquals(
      result.questions.map(({ id, correct }) => [id, correct]),
      questions.map(({ id, gold }) => [
        id,
        gold === "9" ? samples : 0,
      ]),
    );
    assertAlmostEquals(result.tokensPerSecond, result.tokens / result.seconds, 1e-6);
  }
  const [first] = records;
  assertEquals([first.question, first.gold, first.sample], [questions[0].question, questions[0].gold, 0]);
  assertEquals([first.text, first.shadow, first.forced, first.answer, first.boxed], [
    " 1 + 2 = 3. The final answer is: \\boxed{9}",
    null,
    " \\boxed{",
    "9}",
    "9",
  ]);
  assertEquals(
    records.find(({ mode }) => mode === "soft-sample")!.shadow,
    " 1 + 2 = 3. The final answer is:",
  );
  assertEquals([first.index, first.rule, first.thinkingEntropies.length], [0, "exact numbers", 10]);
  assertEquals([first.thinkingTokens.length, first.thinkingLogProbabilities.length], [10, 10]);
  assertEquals([first.answerTokens.length, first.answerLogProbabilities.length], [2, 2]);
});

Deno.test("what an interrupted evaluation left is not generated again, and the result is the same", async () => {
  const model = restless();
  const modes: Mode[] = ["soft-greedy", "hard-sample", "soft-sample"];
  const whole = await measure(model, { modes });
  // Every other rollout of the first two modes, in the order in which they ended.
  const left = whole.ended.filter((record, i) => i % 2 === 0 && record.mode !== "soft-sample");
  const known = (mode: Mode) => left.filter((record) => record.mode === mode);
  const rest = await measure(model, { modes, known, batchRows: 4 });
  assertEquals(rest.ended.length, whole.ended.length - left.length);
  const keys = new Set(left.map(({ mode, index, sample }) => `${mode} ${index} ${sample}`));
  assertEquals(
    rest.records,
    whole.records.filter(({ mode, index, sample }) => !keys.has(`${mode} ${index} ${sample}`)),
  );
  assertEquals(rest.timeless, whole.timeless);
  // Written and read back, they are the same still.
  const parsed = (mode: Mode): RolloutRecord[] =>
    whole.ended.filter((record) => record.mode === mode).map((record) => JSON.parse(JSON.stringify(record)));
  const nothing = await measure(model, { modes, known: parsed });
  assertEquals([nothing.ended.length, nothing.timeless], [0, whole.timeless]);
  assert(nothing.results.every(({ seconds }, i) => seconds > 0 && seconds <= whole.results[i].seconds + 1));
  for (const change of [{ id: "another" }, { sample: 7 }, { index: 900 }]) {
    const wrong = (mode: Mode) => known(mode).map((record) => ({ ...record, ...change }));
    await assertRejects(
      () => measure(model, { modes, known: wrong }),
      UserError,
      "none that is asked for now",
    );
  }
});

Deno.test("workers judge as this thread does; what goes wrong in writing ends the evaluation", async () => {
  const model = restless();
  const modes: Mode[] = ["hard-sample"];
  using grader = createGrader(sums);
  const here = await measure(model, { modes });
  assertEquals((await measure(model, { modes, grader })).timeless, here.timeless);
  let written = 0;
  const full = () => {
    if (++written === 2) throw new Error("no space left");
  };
  const options = { modes, samples: 200, batchRows: 2, onRollout: full };
  await assertRejects(() => measure(model, options), Error, "no space left");
  assert(written < 20, `${written} written`);
});

Deno.test("progress counts all rollouts of all modes; an aborted signal stops between strides", async () => {
  const model = scriptedModel(gpu);
  const seen: EvaluationProgress[] = [];
  const stop = new AbortController();
  const modes: Mode[] = ["hard-greedy", "hard-sample"];
  const options = { modes, batchRows: 6, maxThinking: 1 };
  const { records } = await measure(model, { ...options, onProgress: (progress) => seen.push(progress) });
  const ends = seen.filter(({ done }, i) => done > (seen[i - 1]?.done ?? 0));
  assertEquals(ends.map(({ mode }) => mode), [
    ...Array(5).fill("hard-greedy"),
    ...Array(15).fill("hard-sample"),
  ]);
  assertEquals(ends.map(({ done }) => done), Array.from({ length: 20 }, (_, i) => i + 1));
  assert(seen.every(({ total }) => total === 20));
  for (const { mode, ended, done } of seen) assertEquals(ended, mode === "hard-greedy" ? done : done - 5);
  // Told before the first token, too. Tokens come before a rollout has ended; what is left is never more than the limits allow.
  const [before, first] = seen;
  assertEquals([before.done, before.accuracy, before.tokens], [0, null, 0]);
  assertEquals([first.done, first.accuracy, first.tokens], [0, null, 5]);
  assertEquals(first.tokensLeft, { expected: 20 * (1 + 5) - 5, most: 20 * (1 + 5) - 5 });
  const all = records.reduce((sum, one) => sum + one.thinkingTokens.length + one.answerTokens.length, 0);
  assertEquals([seen.at(-1)!.tokens, seen.at(-1)!.tokensLeft], [all, { expected: 0, most: 0 }]);
  for (const { tokens, tokensLeft: { expected, most } } of seen) {
    assert(expected <= most && tokens + most <= 20 * 6, `${tokens} + ${expected} to ${most}`);
  }
  let heard = 0;
  const running = measure(model, {
    ...options,
    signal: stop.signal,
    onRollout: () => {
      heard++;
      stop.abort();
    },
  });
  const error = await assertRejects(() => running);
  // The five that ended together are all graded.
  assertEquals([(error as Error).name, heard], ["AbortError", 5]);
});

Deno.test("the six modes have the temperatures and noise of the protocol", () => {
  const settings = MODES.map((name) => {
    const { greedy, thinking } = inferenceMode(name, 0.33, 2);
    return [greedy, thinking.continuous, thinking.tau, thinking.sigma];
  });
  assertEquals(settings, [
    [true, false, 0, 0],
    [false, false, 1, 0],
    [true, true, 0.5, 0],
    [false, true, 0.5, 0.66],
    [true, true, 1e-4, 0],
    [false, true, 1e-4, 0.66],
  ]);
  assertThrows(() => inferenceMode("warm" as Mode, 0, 1), UserError, "hard-greedy, hard-sample");
  assertThrows(() => inferenceMode("soft-sample", -1, 1), UserError, "gamma -1");
});

Deno.test("progress tells the end of a rollout with all tokens of its stride, never an old count after a new one", async () => {
  for (const options of [{}, { batchRows: 2 }, { modes: ["soft-sample"] as Mode[], maxThinking: 6 }]) {
    const heard: EvaluationProgress[] = [];
    await measure(restless(), { ...options, onProgress: (progress) => heard.push(progress) });
    const { total, tokens } = heard.at(-1)!;
    const complete = heard.filter(({ done }) => done === total);
    assert(complete.length > 0 && tokens > 0);
    assertEquals(new Set(complete.map(({ tokens }) => tokens)), new Set([tokens]));
    for (const [i, { tokens }] of heard.entries()) assert(i === 0 || tokens >= heard[i - 1].tokens);
  }
});

Deno.test("numbers out of range are refused by name", async () => {
  const model = randomModel(gpu);
  const refuse = (options: Partial<EvaluateOptions>, message: string) =>
    assertRejects(() => measure(model, options), UserError, message);
  await refuse({ modes: [] }, "no mode is given");
  await refuse({ samples: 0 }, "0 samples");
  await refuse({ samples: MOST_SAMPLES + 1 }, `1 to ${MOST_SAMPLES}`);
  await refuse({ questions: 1.5 }, "1.5 questions");
  await refuse({ batchRows: 0 }, "0 rollouts at once");
  await refuse({ maxThinking: 500 }, "context holds 256");
  const { id } = takeQuestions(sums, "test", 11, 1)[0];
  await refuse({ questions: 1, maxThinking: 500 }, `the longest of sums, question 1 (${id})): the model's`);
});

Deno.test("tokens to come are those of rollouts that may end at any token alike, and never above the limit", () => {
  const forecast = createTokenForecast(100);
  assertEquals(forecast.left(4), { expected: 400, most: 400 });
  forecast.generated(40);
  assertEquals(forecast.left(4), { expected: 360, most: 360 });
  // One of four ended after 10 tokens, as one in 40 does.
  forecast.ended(10);
  assertEquals(forecast.left(3), { expected: 120, most: 270 });
  forecast.generated(180);
  forecast.ended(70);
  assertEquals(forecast.left(2), { expected: 60, most: 60 });
  forecast.known(0);
  forecast.known(0);
  assertEquals([forecast.tokens, forecast.left(3).expected], [220, 160]);
});

Deno.test("operations of a rollout, counted product by product", () => {
  const config = { ...SMALL, heads: 4, kvHeads: 2 };
  const { hiddenSize: d, headDim: hd, intermediateSize: f, vocabSize, layers } = config;
  const row = (keys: number) => {
    const products = [d * 8 * hd, 4 * hd * d, d * 2 * f, f * d];
    return layers * (products.reduce((sum, size) => sum + 2 * size, 0) + 4 * (2 * hd * keys + 2 * hd * keys));
  };
  let prompt = 0;
  for (let t = 0; t < 20; t++) prompt += row(t + 1);
  let own = 0;
  // 9 thoughts, 2 forced, and of 3 answer tokens the last is never an input.
  for (let t = 20; t < 20 + 9 + 2 + 2; t++) own += row(t + 1);
  const head = 2 * vocabSize * d;
  const lengths = { prompt: 20, shared: 4, thinking: 9, forced: 2, answer: 3 };
  assertEquals(rolloutFlops(config, lengths, false), prompt / 4 + own + 12 * head);
  assertEquals(rolloutFlops(config, lengths, true), prompt / 4 + own + 21 * head);
});
