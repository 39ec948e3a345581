import { assertEquals, assertStringIncludes } from "@std/assert";
import type { RolloutView } from "../../web/data/view_data.ts";
import { besideOf, besideText, otherSights } from "../../web/rollouts/beside.ts";
import { explainReward } from "../../web/rollouts/explain_reward.ts";
import { filtersOf, rolloutQuery } from "../../web/rollouts/rollout_filter.ts";

const rollout: RolloutView = {
  ...{ place: 7, id: "soft", step: 10, mode: "soft", question: "q", group: "10.0", sample: 1, head: "Kim" },
  ...{ reward: 10, advantage: -0.25, equal: false, refilled: false, correct: false, rule: "exact numbers" },
  ...{
    end: "trigger",
    tokens: 9,
    entropy: 0.1,
    questionText: "Kim has 9.",
    gold: "1",
    boxed: "3",
    prompt: null,
  },
  ...{ thought: [], forced: " \\boxed{", answer: [], answerEnd: "brace", continuous: true, way: "soft" },
  tokenized: true,
};

Deno.test("a reward is explained by what was read, how it was judged, and what that was worth to the group", () => {
  assertEquals(explainReward(rollout), [
    '10 of 100: its box holds "3", an answer that can be read, but the right one is "1" (rule: exact numbers).',
    "Advantage −0.250: worse than the others of its group, so it was made less probable.",
  ]);
  const right = { ...rollout, reward: 100, correct: true, boxed: "1", advantage: 0.5 };
  assertEquals(explainReward(right), [
    '100 of 100: its box holds "1", equal to the right answer "1" (rule: exact numbers).',
    "Advantage +0.500: better than the others of its group, so it was made more probable.",
  ]);
  const open = { ...rollout, reward: 0, boxed: null, rule: null, answerEnd: "limit", equal: true };
  assertEquals(explainReward(open), [
    '0 of 100: no answer can be read: the answer was stopped at its limit, the box still open; the right one is "1".',
    "All of its group got the same, so nothing was learned from it.",
  ]);
  assertStringIncludes(explainReward({ ...rollout, reward: 37.5 })[0], "37.5, by the run's own rewards");
  assertEquals(explainReward({ ...rollout, advantage: null }).length, 1);
});

Deno.test("filters of an address become a question to the source, and what is none is passed over", () => {
  const query = { step: "10", verdict: "wrong", reward: "0..10", only: "equal", text: "a&b", beside: "x@1" };
  assertEquals(rolloutQuery(query), {
    ...{ step: 10, correct: false, rewardFrom: 0, rewardTo: 10, equal: true, text: "a&b" },
  });
  assertEquals(rolloutQuery({ reward: "10" }), { rewardFrom: 10, rewardTo: 10 });
  assertEquals(rolloutQuery({ reward: "10.." }), { rewardFrom: 10 });
  assertEquals(rolloutQuery({ step: "x", reward: "y", verdict: "z", only: "w", order: "v" }), {});
  assertEquals(filtersOf(query), {
    step: "10",
    verdict: "wrong",
    reward: "0..10",
    only: "equal",
    text: "a&b",
  });
});

Deno.test("rollouts beside one another stand in the address, whatever their places are called", () => {
  const two = [{ id: "a,b@c/ü%", place: 3 }, { id: "x", place: 0 }];
  assertEquals(besideOf(besideText(two)), two);
  assertEquals(besideOf("nothing,x@-1,y@z,%@4"), [{ id: "%", place: 4 }]);
  assertEquals(besideOf(undefined), []);
});

Deno.test("the same question elsewhere: other modes of an evaluation, the run's first and last update, and the nearest of others", () => {
  const run = { id: "hard", rollouts: 8, steps: [[4, 12, 4]] as [number, number, number][], modes: ["hard"] };
  const own = { ...run, id: "soft" };
  const results = { id: "results", rollouts: 4, steps: [], modes: ["hard-sample", "soft-sample"] };
  assertEquals(otherSights([own, run, results], rollout), [
    { id: "soft", mode: null, step: 4 },
    { id: "soft", mode: null, step: 12 },
    { id: "hard", mode: null, step: 8 },
    { id: "results", mode: "hard-sample", step: null },
    { id: "results", mode: "soft-sample", step: null },
  ]);
  const ofResults = { ...rollout, id: "results", step: null, mode: "soft-sample" };
  assertEquals(otherSights([run, results], ofResults), [
    { id: "hard", mode: null, step: 12 },
    { id: "results", mode: "hard-sample", step: null },
  ]);
});
