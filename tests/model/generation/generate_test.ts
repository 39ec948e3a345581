import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { MODES } from "../../../eval/modes.ts";
import { wayOfThinking } from "../../../model/thinking/ways.ts";
import { openGpu } from "../../../gpu/device/open_gpu.ts";
import { UserError } from "../../../gpu/errors.ts";
import { generate } from "../../../model/generation/generate.ts";
import type { GenerateRequest, Rollout } from "../../../model/generation/rollout.ts";
import { gaussianThinking } from "../../../model/thinking/gaussian.ts";
import { hardThinking } from "../../../model/thinking/hard.ts";
import { generatedText, thinkingRules } from "../../../model/generation/thinking_text.ts";
import type { Model } from "../../../model/transformer/transformer.ts";
import { idOf, randomModel, scriptedModel, SMALL, tokenizer, USED } from "../support/small_models.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => gpu.close());

const PROMPTS = [
  "User: Sam has 10 coins. How many coins does Sam have? Assistant:",
  "User: Mia has 3 cards. Mia buys 4 more. Mia doubles them. How many cards does Mia have? Assistant:",
  "User: Tom has 7 pens. Tom loses 2. How many pens does Tom have? Assistant:",
].map((text) => tokenizer.encode(text));

const WAYS = {
  hard: hardThinking(1),
  soft: gaussianThinking("soft", 0.5, 0.01),
  fuzzy: gaussianThinking("fuzzy", 1e-4, 0.01),
};

interface Outcome {
  rollouts: Rollout[];
  /** [rollouts, steps, d]. */
  hidden: Float32Array;
}

async function roll(
  model: Model,
  request: Partial<GenerateRequest> & { maxThinking?: number; maxAnswer?: number; endTokenIds?: number[] },
): Promise<Outcome> {
  const { maxThinking = 21, maxAnswer = 5, endTokenIds = [0], ...rest } = request;
  using scratch = gpu.arena.scratch();
  const batch = await generate(model, tokenizer, {
    prompts: PROMPTS.slice(0, 1),
    group: 1,
    thinking: WAYS.hard,
    rules: thinkingRules(tokenizer, { maxThinking, maxAnswer, endTokenIds }),
    answerTau: 1,
    rolloutIds: [0],
    seed: 7,
    step: 3,
    ...rest,
  }, scratch);
  return { rollouts: batch.rollouts, hidden: new Float32Array(await gpu.reader.read(batch.hidden)) };
}

/** All that a rollout says of itself but its index, with the rows that were fed. */
function essence({ rollouts, hidden }: Outcome, at: number, steps: number) {
  const { prompt: _, index, ...rest } = rollouts[at];
  const d = SMALL.hiddenSize;
  const fed = hidden.length > 1 * d
    ? hidden.slice(index * steps * d, (index * steps + rest.thinking.length) * d)
    : null;
  return { ...rest, fed };
}

for (const [name, thinking] of Object.entries(WAYS)) {
  Deno.test(`${name}: a rollout is the same to the bit whatever batch it is in`, async () => {
    const model = randomModel(gpu);
    // Many end tokens, so that rollouts end at all places and rows leave the batch.
    const endTokenIds = Array.from({ length: 5 }, (_, i) => i * 7);
    const common = { thinking, endTokenIds };
    const group = 7;
    const rolloutIds = Array.from({ length: 3 * group }, (_, i) => i);
    const all = await roll(model, { ...common, prompts: PROMPTS, group, rolloutIds });
    const lengths = new Set(all.rollouts.map(({ thinking }) => thinking.length));
    assert(name === "fuzzy" || lengths.size > 3, `rollouts of ${lengths.size} lengths`);
    const reversed = await roll(model, {
      ...common,
      prompts: PROMPTS.toReversed(),
      group,
      rolloutIds: [2, 1, 0].flatMap((b) => rolloutIds.slice(b * group, (b + 1) * group)),
    });
    for (let b = 0; b < 3; b++) {
      for (let g = 0; g < group; g++) {
        const expected = essence(all, b * group + g, 21);
        assertEquals(essence(reversed, (2 - b) * group + g, 21), expected);
        if (g % 3 > 0) continue;
        const alone = await roll(model, {
          ...common,
          prompts: [PROMPTS[b]],
          rolloutIds: [b * group + g],
        });
        assertEquals(essence(alone, 0, 21), expected);
      }
    }
  });
}

Deno.test("what was computed past the end of thinking is cut: the answer is that to the text alone", async () => {
  const model = randomModel(gpu);
  const endTokenIds = Array.from({ length: 12 }, (_, i) => i * 3);
  const rolloutIds = Array.from({ length: 16 }, (_, i) => i);
  const { rollouts } = await roll(model, { group: 16, rolloutIds, endTokenIds });
  const places = new Set<number>();
  for (const [i, rollout] of rollouts.entries()) {
    if (rollout.thinkingEnd !== "end-token") continue;
    places.add(rollout.thinking.length % 4);
    const { rollouts: [alone] } = await roll(model, {
      prompts: [[...PROMPTS[0], ...rollout.thinking]],
      rolloutIds: [i],
      maxThinking: 0,
      endTokenIds,
    });
    assertEquals(alone.forced, rollout.forced);
    assertEquals([alone.answer, alone.answerStats], [rollout.answer, rollout.answerStats]);
  }
  assertEquals(places, new Set([0, 1, 2, 3]));
});

Deno.test("fuzzy-greedy is hard-greedy token for token, up to the first near-tie", async () => {
  const model = randomModel(gpu);
  const tau = 1e-4;
  const common = { prompts: PROMPTS, group: 1, rolloutIds: [0, 1, 2], maxThinking: 60, endTokenIds: [] };
  const hard = await roll(model, { ...common, thinking: hardThinking(0) });
  const fuzzy = await roll(model, { ...common, thinking: gaussianThinking("fuzzy", tau, 0) });
  let compared = 0;
  hard.rollouts.forEach((rollout, i) => {
    const tie = rollout.thinkingStats.gap.findIndex((gap) => gap < 20 * tau);
    const clear = tie < 0 ? rollout.thinking.length : tie;
    assertEquals(fuzzy.rollouts[i].thinking.slice(0, clear), rollout.thinking.slice(0, clear));
    compared += clear;
  });
  assert(compared > 40, `${compared} steps compared`);
});

const THOUGHT = [" 1", " +", " 2", " =", " 3", ".", " The", " final", " answer", " is:"];
const SAYING = [" Assistant:", ...THOUGHT, " Sam", " Sam"];
const ids = (texts: string[]) => texts.map(idOf);

for (const noiseOn of ["logits", "top-logits", "hidden"] as const) {
  Deno.test(`noise on ${noiseOn}: the fed rows are mixtures of real tokens, in which padding weighs nothing`, async () => {
    const model = scriptedModel(gpu, SAYING, [" \\boxed{", "3", "}", " Ann", " Ann"]);
    const used = model.config.usedVocabSize;
    const how = { greedy: false, gamma: 0.05, embeddingRms: 0.1, noiseOn, tau: 20 };
    const thinking = wayOfThinking("soft", how);
    const { hidden } = await roll(model, { prompts: PROMPTS, rolloutIds: [0, 1, 2], thinking });
    const found = new Set<number>();
    for (let t = 0; t < 4; t++) {
      const row = hidden.subarray(t * 80, (t + 1) * 80);
      assert(row.subarray(used).every((weight) => weight === 0), `step ${t}: padding weighs`);
      assertAlmostEquals(row.reduce((sum, weight) => sum + weight, 0), 1, 1e-5);
      row.forEach((weight, i) => weight > 0 && found.add(i));
    }
    assert(found.size > 4, `${found.size} tokens mixed`);
  });
}

for (const mode of MODES) {
  Deno.test(`${mode}: the trigger ends thinking, the box is forced, its brace ends the answer`, async () => {
    const model = scriptedModel(gpu, SAYING, [" \\boxed{", "3", "}", " Ann", " Ann"]);
    const [kind, how] = mode.split("-") as ["hard" | "soft" | "fuzzy", string];
    const thinking = wayOfThinking(kind, { greedy: how === "greedy", gamma: 0.1, embeddingRms: 0.1 });
    const { rollouts, hidden } = await roll(model, {
      prompts: PROMPTS,
      group: 2,
      rolloutIds: [0, 1, 2, 3, 4, 5],
      thinking,
    });
    assertEquals(rollouts.map(({ prompt, index }) => [prompt, index]), [
      [0, 0],
      [0, 1],
      [1, 2],
      [1, 3],
      [2, 4],
      [2, 5],
    ]);
    for (const rollout of rollouts) {
      assertEquals(rollout.thinking, ids(THOUGHT));
      assertEquals(rollout.thinkingEnd, "trigger");
      assertEquals([rollout.forcedKind, rollout.forced], ["box", ids([" \\boxed{"])]);
      assertEquals([rollout.answer, rollout.answerEnd], [ids(["3", "}"]), "brace"]);
      const { thinkingStats: { logp, entropy, gap }, answerStats } = rollout;
      assertEquals([logp.length, entropy.length, gap.length, answerStats.logp.length], [10, 10, 10, 2]);
      assert([...logp, ...entropy, ...answerStats.logp].every((value) => Math.abs(value) < 1e-3));
    }
    if (!thinking.continuous) return;
    // Noise apart, the row that is fed is the embedding of the shadow: padding weighs nothing, though its logits are larger.
    THOUGHT.forEach((text, t) => {
      const row = hidden.subarray(t * 80, (t + 1) * 80);
      row.forEach((value, i) => {
        const off = Math.abs(value - (i === idOf(text) ? 1 : 0));
        assert(off < (thinking.sigma > 0 ? 0.06 : 1e-6), `step ${t}, dimension ${i}: off by ${off}`);
      });
    });
    assertEquals(thinking.sigma > 0, hidden.slice(0, 80).join() !== hidden.slice(21 * 80, 22 * 80).join());
  });
}

Deno.test("a trigger that comes at the last step counts; one step earlier the limit ends thinking", async () => {
  const model = scriptedModel(gpu, SAYING, [" \\boxed{", "3", "}"]);
  const { rollouts: [exact] } = await roll(model, { maxThinking: 10 });
  assertEquals([exact.thinkingEnd, exact.forcedKind, exact.thinking.length], ["trigger", "box", 10]);
  const { rollouts: [short] } = await roll(model, { maxThinking: 9 });
  assertEquals([short.thinkingEnd, short.forcedKind, short.thinking], [
    "limit",
    "triggerAndBox",
    ids(THOUGHT.slice(0, 9)),
  ]);
  assertEquals(tokenizer.decode(short.forced), " The final answer is: \\boxed{");
  assertEquals(short.answer, ids(["3", "}"]));
  for (const maxThinking of [0, 1, 4, 5]) {
    const { rollouts: [rollout] } = await roll(model, { maxThinking });
    assertEquals([rollout.thinkingEnd, rollout.thinking], ["limit", ids(THOUGHT.slice(0, maxThinking))]);
    assertEquals(rollout.answer, ids(["3", "}"]));
  }
});

Deno.test("an end token ends thinking as the limit does, and ends the answer; neither shows in the text", async () => {
  const model = scriptedModel(gpu, [" Assistant:", " 1", " +", "<end>", " Sam"], [
    " \\boxed{",
    "3",
    "<end>",
    " Ann",
  ]);
  const { rollouts: [rollout] } = await roll(model, {});
  assertEquals([rollout.thinking, rollout.thinkingEnd], [ids([" 1", " +", "<end>"]), "end-token"]);
  assertEquals([rollout.forcedKind, rollout.answer], ["triggerAndBox", ids(["3", "<end>"])]);
  assertEquals(rollout.answerEnd, "end-token");
  const rules = thinkingRules(tokenizer, { maxThinking: 9, maxAnswer: 5, endTokenIds: [0] });
  assertEquals(generatedText(tokenizer, rollout.thinking, rules), " 1 +");
  assertEquals(generatedText(tokenizer, rollout.answer, rules), "3");
});

Deno.test("an answer without a brace ends at its limit", async () => {
  const model = scriptedModel(gpu, SAYING, [" \\boxed{", "3", "3"]);
  for (const maxAnswer of [1, 4, 6]) {
    const { rollouts: [rollout] } = await roll(model, { maxAnswer });
    assertEquals([rollout.answer, rollout.answerEnd], [Array(maxAnswer).fill(idOf("3")), "limit"]);
  }
});

Deno.test("a plain continuation passes the trigger, forces nothing, and ends at an end token or the limit", async () => {
  const model = scriptedModel(gpu, SAYING, [" \\boxed{", "3", "}"]);
  const { rollouts: [long] } = await roll(model, { maxThinking: 14, plain: true });
  assertEquals(long.thinking, ids([...THOUGHT, " Sam", " Sam", " Sam", " Sam"]));
  assertEquals([long.thinkingEnd, long.forced, long.answer], ["limit", [], []]);
  const ends = scriptedModel(gpu, [" Assistant:", " 1", "<end>", " 1"]);
  const { rollouts: [short] } = await roll(ends, { maxThinking: 14, plain: true });
  assertEquals([short.thinking, short.thinkingEnd], [ids([" 1", "<end>"]), "end-token"]);
});

Deno.test("padding is never drawn, at any temperature", async () => {
  const model = scriptedModel(gpu);
  const { rollouts } = await roll(model, {
    thinking: hardThinking(50),
    group: 16,
    rolloutIds: Array.from({ length: 16 }, (_, i) => i),
    maxThinking: 40,
    endTokenIds: [],
  });
  const drawn = rollouts.flatMap(({ thinking, answer }) => [...thinking, ...answer]);
  assert(drawn.every((id) => id < USED));
  assert(new Set(drawn).size > 60, "all tokens are about as probable");
});

Deno.test("observers see every token and every step's weights", async () => {
  const model = scriptedModel(gpu, SAYING, [" \\boxed{", "3", "}"]);
  const heard = { thinking: [] as number[], answer: [] as number[] };
  const weights: Promise<ArrayBuffer>[] = [];
  const { rollouts: [rollout] } = await roll(model, {
    thinking: gaussianThinking("soft", 0.5, 0),
    onTokens: (index, part, tokens) => {
      assertEquals(index, 0);
      assertEquals(tokens.slice(0, heard[part].length), heard[part]);
      heard[part] = [...tokens];
    },
    onStep: ({ rows, z }) => {
      const [{ index, part, step }] = rows;
      if (part !== "thinking") return;
      assertEquals([step, index, rows.length, z.shape], [weights.length, 0, 1, [1, 80]]);
      weights.push(gpu.reader.read(z));
    },
  });
  assertEquals(heard, { thinking: rollout.thinking, answer: rollout.answer });
  for (const [t, id] of rollout.thinking.entries()) {
    const p = new Float32Array(await weights[t]);
    assert(Math.abs(p[id] - 1) < 1e-6, `weight ${p[id]} at step ${t}`);
  }
});

Deno.test("a text beyond the model's context is refused before anything is computed", async () => {
  const model = randomModel(gpu);
  const error = await assertRejects(() => roll(model, { maxThinking: 250 }), UserError);
  assert(error.message.includes("the model's context holds 256"), error.message);
});
