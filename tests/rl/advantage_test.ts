import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { leaveOneOut } from "../../rl/advantage.ts";

/** Rewards as the tasks give them, divided by 100. */
const REWARDS = fc.array(fc.constantFrom(0, 0.1, 1), { minLength: 2, maxLength: 40 });
/** Any rewards; other tasks may grade by parts. */
const ANY = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 2, maxLength: 40 });

Deno.test("each advantage is the reward less the mean of the others", () => {
  fc.assert(fc.property(fc.oneof(REWARDS, ANY), (rewards) => {
    leaveOneOut(rewards).forEach((advantage, i) => {
      const others = rewards.filter((_, j) => j !== i);
      const mean = others.reduce((sum, reward) => sum + reward, 0) / others.length;
      assertAlmostEquals(advantage, rewards[i] - mean, 1e-12);
    });
  }));
});

Deno.test("the advantages of a group sum to 0, keep the order of the rewards, and ignore a common part", () => {
  fc.assert(
    fc.property(fc.oneof(REWARDS, ANY), fc.double({ min: -3, max: 3, noNaN: true }), (rewards, shift) => {
      const advantages = leaveOneOut(rewards);
      assertAlmostEquals(advantages.reduce((sum, a) => sum + a, 0), 0, 1e-9);
      const moved = leaveOneOut(rewards.map((reward) => reward + shift));
      rewards.forEach((reward, i) => {
        assertAlmostEquals(moved[i], advantages[i], 1e-9);
        rewards.forEach((other, j) => assert(!(reward > other + 1e-9) || advantages[i] > advantages[j]));
      });
    }),
  );
});

Deno.test("equal rewards have no advantage at all, not even a rounding error", () => {
  for (const reward of [0, 0.1, 1, 1 / 3]) {
    for (const group of [2, 3, 7, 32]) {
      assertEquals(leaveOneOut(Array(group).fill(reward)), Array(group).fill(0));
    }
  }
});

Deno.test("groups of two and the method's rewards, by hand", () => {
  assertEquals(leaveOneOut([1, 0]), [1, -1]);
  assertEquals(leaveOneOut([1, 0, 0.5]), [0.75, -0.75, 0]);
  const [right, boxed, none] = leaveOneOut([1, 0.1, 0]);
  assertAlmostEquals(right, 0.95, 1e-12);
  assertAlmostEquals(boxed, -0.4, 1e-12);
  assertAlmostEquals(none, -0.55, 1e-12);
});

Deno.test("one rollout has nothing to be compared with", () => {
  assertThrows(() => leaveOneOut([1]), Error, "at least 2");
  assertThrows(() => leaveOneOut([]), Error, "at least 2");
});
