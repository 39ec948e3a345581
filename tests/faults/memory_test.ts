import { assertAlmostEquals, assertEquals } from "@std/assert";
import { type MemorySample, slopeOf, summariseMemory } from "./support/memory.ts";

Deno.test("a slope is that of all groups, each with a level of its own", () => {
  const line = (level: number) => [0, 1, 2, 3].map((x) => [x, level + 2 * x]);
  const { value, standardError } = slopeOf([line(5), line(-100), []]);
  assertAlmostEquals(value, 2, 1e-12);
  assertAlmostEquals(standardError, 0, 1e-12);
  assertEquals(slopeOf([[[1, 2]]]), { value: NaN, standardError: NaN });
});

Deno.test("a process that grows is told from one that has settled", () => {
  const life = (life: number, kind: string, resident: (at: number) => number): MemorySample[] =>
    Array.from({ length: 60 }, (_, i) => 5 * i).map((at) => ({
      ...{ life, kind, at, hour: life + at / 3600, resident: resident(at) },
      peak: Math.max(resident(0), resident(at)),
    }));
  const [flat, leaking] = summariseMemory([
    ...life(0, "flat", (at) => at < 60 ? 200 + at : 260),
    ...life(1, "flat", (at) => at < 60 ? 200 + at : 260),
    ...life(2, "leaking", (at) => 200 + at / 36),
    ...life(3, "leaking", (at) => 300 + at / 36),
  ]);
  assertEquals([flat.kind, flat.lives, flat.longLives, flat.lowest, flat.highest], ["flat", 2, 2, 260, 260]);
  assertAlmostEquals(flat.within.value, 0, 1e-9);
  assertAlmostEquals(leaking.within.value, 100, 1e-9);
  assertAlmostEquals(leaking.late - leaking.early, 100, 1e-9);
});
