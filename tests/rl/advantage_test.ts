import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { UserError } from "../../gpu/errors.ts";
import { type AdvantageKind, ADVANTAGES, advantagesOf, leaveOneOut } from "../../rl/advantage.ts";

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

Deno.test("the other kinds, by hand", () => {
  const rewards = [1, 0, 0, 0];
  const of = (kind: AdvantageKind) => advantagesOf(kind, rewards);
  assertEquals(of("rloo"), leaveOneOut(rewards));
  assertEquals(of("dr-grpo"), [0.75, -0.25, -0.25, -0.25]);
  // The standard deviation of 1, 0, 0, 0 is 1/2; 1e-6 keeps the division finite.
  of("grpo").forEach((advantage, i) => assertAlmostEquals(advantage, (rewards[i] - 0.25) / 0.500001, 1e-12));
  assertEquals(of("max-rl"), [3, -1, -1, -1]);
  assertEquals(advantagesOf("max-rl", [-1, 1]), [0, 0]);
  assertThrows(() => advantagesOf("max-rl", [-1, 0]), UserError, "rewards from 0 on are needed");
});

Deno.test("of every kind: equal rewards have none, the sum is 0, the order is that of the rewards", () => {
  for (const kind of ADVANTAGES) {
    assertEquals(advantagesOf(kind, [0.1, 0.1, 0.1]), [0, 0, 0]);
    assertEquals(advantagesOf(kind, [0, 0]), [0, 0]);
    fc.assert(fc.property(REWARDS, (rewards) => {
      const advantages = advantagesOf(kind, rewards);
      assertAlmostEquals(advantages.reduce((sum, a) => sum + a, 0), 0, 1e-9);
      rewards.forEach((reward, i) =>
        rewards.forEach((other, j) => assert(!(reward > other) || advantages[i] > advantages[j]))
      );
    }));
  }
});

Deno.test("pairs: each reward less the mean of the others without its partner", () => {
  const pairs = [1, 0, 0.1, 1, 0, 0];
  const found = advantagesOf("rloo", pairs, true);
  pairs.forEach((reward, i) => {
    const others = pairs.filter((_, j) => j >> 1 !== i >> 1);
    assertAlmostEquals(found[i], reward - others.reduce((a, b) => a + b, 0) / 4, 1e-12);
  });
  assertEquals(advantagesOf("rloo", [1, 1, 1, 1], true), [0, 0, 0, 0]);
  assertThrows(() => advantagesOf("rloo", [1, 0, 1], true), Error, "an even number from 4 on");
  assertThrows(() => advantagesOf("rloo", [1, 0], true), Error, "an even number from 4 on");
  assertThrows(() => advantagesOf("grpo", [1, 0, 1, 0], true), Error, "Cannot take grpo advantages of 4");
});
