import { assert, assertEquals } from "@std/assert";
import { createPromptCache, type Place } from "../../../model/serving/prompt_cache.ts";
import { STRIDE } from "../../../model/transformer/stride_steps.ts";

const ids = (length: number, from = 0) => Array.from({ length }, (_, i) => from + i);

/** What its prefill would do. */
const fill = ({ prefix }: Place) => prefix.filled = prefix.ids.length;

Deno.test("a prompt stays in the cache for those that begin alike, and makes room when its rows are wanted", () => {
  const cache = createPromptCache(300);
  const first = cache.place(ids(101), 20, true)!;
  assertEquals([first.prefixLen, first.prefix.ids.length, first.slot.rows], [100, 100, 1 + 20 + STRIDE]);
  fill(first);
  cache.leave(first);
  assertEquals(cache.usedRows, 0);
  const same = cache.place(ids(101), 20, true)!;
  assert(same.prefix === first.prefix && same.prefixLen === 100);
  const longer = cache.place([...ids(80), 7, 7, 7], 20, true)!;
  assert(longer.prefix === first.prefix);
  assertEquals([longer.prefixLen, longer.slot.rows], [80, 3 + 20 + STRIDE]);
  assertEquals(cache.sharedTokens, 180);
  // Its rows are not wanted from it while somebody has it.
  assertEquals(cache.place(ids(150, 500), 50, true), null);
  cache.leave(same);
  cache.leave(longer);
  const other = cache.place(ids(240, 500), 50, true)!;
  assertEquals(other.prefixLen, 239);
  fill(other);
  cache.leave(other);
  assertEquals(cache.place(ids(101), 20, true)!.prefix.filled, 0);
});

Deno.test("of the prompts that nobody has the one that was used longest ago makes room", () => {
  const cache = createPromptCache(300);
  const place = (from: number) => {
    const placed = cache.place(ids(101, from), 20, true)!;
    const found = placed.prefix.filled;
    fill(placed);
    cache.leave(placed);
    return found;
  };
  assertEquals([place(0), place(500), place(0)], [0, 0, 100]);
  // Room for two of them, and for a sequence.
  assertEquals(place(1000), 0);
  assertEquals([place(0), place(1000), place(500)], [100, 100, 0]);
});

Deno.test("several of one prompt get it as their own, with what others have of it copied", () => {
  const cache = createPromptCache(400);
  const first = cache.place(ids(101), 5, true)!;
  fill(first);
  const one = cache.place([...ids(60), 1, 2, 3], 5, false)!;
  assertEquals([one.prefixLen, one.prefix.copied?.length, one.prefix.copied?.from === first.prefix], [
    62,
    60,
    true,
  ]);
  const two = cache.place([...ids(60), 1, 2, 3], 5, false)!;
  assert(two.prefix === one.prefix && two.prefix.users === 2);
  assertEquals(first.prefix.users, 2);
  // Who gives up before it is there leaves nothing behind.
  cache.leave(one);
  cache.leave(two);
  assertEquals(first.prefix.users, 1);
  cache.leave(first);
  assertEquals(cache.usedRows, 0);
});

Deno.test("what a prompt shares never keeps it out: with nobody there it gets all rows", () => {
  const cache = createPromptCache(240);
  const first = cache.place(ids(201), 20, true)!;
  fill(first);
  cache.leave(first);
  const next = cache.place([...ids(110), ...ids(90, 900)], 30, true)!;
  assertEquals([next.prefixLen, next.prefix === first.prefix], [199, false]);
});

Deno.test("a prompt of one token shares nothing; rows that are too many are refused, and cost nothing", () => {
  const cache = createPromptCache(100);
  const one = cache.place([5], 10, true)!;
  assertEquals([one.prefixLen, one.slot.rows], [0, 1 + 10 + STRIDE]);
  assertEquals(cache.place(ids(60), 40, true), null);
  cache.leave(one);
  assertEquals(cache.place(ids(60), 40 - STRIDE, true)?.prefixLen, 59);
  const short = createPromptCache(60);
  assertEquals(short.place(ids(60), 10, true), null);
});
