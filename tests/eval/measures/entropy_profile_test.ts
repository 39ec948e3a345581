import { assert, assertEquals, assertThrows } from "@std/assert";
import { entropyProfile } from "../../../eval/measures/entropy_profile.ts";
import { UserError } from "../../../gpu/errors.ts";

const isNear = (value: number, target: number) =>
  assert(Math.abs(value - target) < 1e-12, `${value} ${target}`);

Deno.test("a profile averages over the steps that were generated, position by position", () => {
  const profile = entropyProfile();
  assertEquals([profile.rows(), profile.mean()], [[], null]);
  profile.add([1, 2, 3]);
  profile.add(Float32Array.of(3, 99, 99), 1);
  profile.add([], 0);
  const rows = profile.rows();
  assertEquals(rows.map(({ position, end, mean, count }) => [position, end, mean, count]), [
    [0, 1, 2, 2],
    [1, 2, 2, 1],
    [2, 3, 3, 1],
  ]);
  isNear(rows[0].standardError, 1);
  assertEquals(rows[1].standardError, 0);
  assertEquals(profile.mean(), 9 / 4);
  const error = assertThrows(() => entropyProfile().add([1, NaN]), UserError, "its entropy at step 2 is NaN");
  assert(error.hint!.includes("--gamma"));
  const [first, rest] = profile.rows(2);
  assertEquals([first.mean, first.count, rest.position, rest.end], [2, 3, 2, 3]);
});

Deno.test("a profile refuses what cannot be entropies", () => {
  const profile = entropyProfile();
  assertThrows(() => profile.add([NaN]), Error, "NaN");
  assertThrows(() => profile.add([1], 2), Error, "2 steps");
  assertThrows(() => profile.rows(0), UserError);
});
