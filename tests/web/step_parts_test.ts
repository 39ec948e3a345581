import { assertAlmostEquals, assertEquals } from "@std/assert";
import type { Step } from "../../web/data/view_data.ts";
import { phasesOf } from "../../web/speed/phases.ts";
import { sharesOf } from "../../web/speed/shares.ts";
import { entropyShare, stackParts } from "../../web/thought/step_parts.ts";

const step: Step = {
  token: 5,
  text: " a",
  logp: null,
  entropy: null,
  mixture: null,
  noise: null,
  surprise: null,
};

Deno.test("a step's stack is its mixture, or its token's probability, and what is left out", () => {
  const tokens = [0.6, 0.3].map((weight, token) => ({ token, text: "t", weight, probability: null }));
  const mixed = stackParts({ ...step, mixture: tokens });
  assertEquals(mixed.map(({ token }) => token?.token), [0, 1, undefined]);
  assertAlmostEquals(mixed[2].share, 0.1, 1e-12);
  const [drawn, others] = stackParts({ ...step, logp: Math.log(0.25) });
  assertEquals([drawn.token?.token, drawn.share, others.share], [5, 0.25, 0.75]);
  assertEquals(stackParts({ ...step, logp: 0 }).length, 1);
  assertEquals(stackParts(step), []);
});

Deno.test("the colour of a step grows with its entropy, to the end of the scale", () => {
  const shares = [null, 0, 0.1, 0.7, 2, 9].map(entropyShare);
  assertEquals([shares[0], shares[1], shares[4], shares[5]], [0, 0, 1, 1]);
  assertEquals(shares.toSorted((a, b) => a - b), shares);
});

Deno.test("phases of an update, and what is left of it", () => {
  const columns = {
    "time.step": [5, null],
    "time.rollout": [2, null],
    "time.grade": [0, 0],
    "time.update": [2.5, 1],
  };
  assertEquals(phasesOf(columns), [
    { name: "rollouts", seconds: [2, null] },
    { name: "gradient and optimizer", seconds: [2.5, 1] },
    { name: "the rest", seconds: [0.5, null] },
  ]);
  assertEquals(phasesOf({}), []);
});

Deno.test("workers are told apart by their names, which may have dots, learners by their ranks", () => {
  const columns = {
    "time.workers.gpu.example.org-7.rollouts": [4, null, 8],
    "time.workers.gpu.example.org-7.seconds": [2, null, 4],
    "time.workers.here.rollouts": [1, 1, 1],
    "time.learners.0.waited": [0.5, 1.5, 1],
    "time.step": [9, 9, 9],
  };
  assertEquals(sharesOf(columns, "workers"), [
    { name: "gpu.example.org-7", updates: 2, means: { rollouts: 6, seconds: 3 } },
    { name: "here", updates: 3, means: { rollouts: 1 } },
  ]);
  assertEquals(sharesOf(columns, "learners"), [{ name: "0", updates: 3, means: { waited: 1 } }]);
  assertEquals(sharesOf({}, "workers"), []);
});
