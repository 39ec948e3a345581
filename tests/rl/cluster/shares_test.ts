/** Shares, buckets and places cover everything once, in order. */
import { assert, assertEquals } from "@std/assert";
import { bucketsOf, wholeOf } from "../../../rl/cluster/buckets.ts";
import { largestShare, shareOf } from "../../../rl/cluster/learners.ts";
import { sharesOf } from "../../../rl/cluster/sharded_optimizer.ts";
import type { Tensor } from "../../../gpu/tensor.ts";

Deno.test("learners have all questions between them, in the order of their ranks", () => {
  for (const [count, size] of [[8, 2], [7, 3], [3, 3], [1, 4], [0, 2], [512, 64]]) {
    const shares = Array.from({ length: size }, (_, rank) => shareOf(count, { rank, size }));
    assertEquals(shares[0].from, 0);
    assertEquals(shares.at(-1)!.to, count);
    shares.slice(1).forEach(({ from }, i) => assertEquals(from, shares[i].to));
    assertEquals(Math.max(...shares.map(({ from, to }) => to - from)), largestShare(count, { size }));
  }
});

Deno.test("buckets hold every element once, and are full but the last", () => {
  const tensor = (count: number) => ({ shape: [count], label: `${count}` }) as unknown as Tensor;
  const pieces = wholeOf([3, 10, 1, 0, 25, 6].map(tensor));
  const buckets = bucketsOf(pieces, 10);
  const sizes = buckets.map((bucket) => bucket.reduce((sum, { count }) => sum + count, 0));
  assertEquals(sizes, [10, 10, 10, 10, 5]);
  const found = buckets.flat().flatMap(({ tensor, from, count }) =>
    Array.from({ length: count }, (_, i) => `${tensor.label}:${from + i}`)
  );
  assertEquals(found, [3, 10, 1, 25, 6].flatMap((n) => Array.from({ length: n }, (_, i) => `${n}:${i}`)));
});

Deno.test("shares of moments cover all elements once, begin where bindings may, and are of one size nearly", () => {
  for (const [counts, size] of [[[1000, 64, 7, 129, 5000], 3], [[10], 4], [[64, 64], 2]] as const) {
    const shares = sharesOf(counts, size);
    const covered = counts.map((count) => new Uint8Array(count));
    for (const { tensor, from, count } of shares.flat()) {
      assertEquals(from % 64, 0);
      for (let i = from; i < from + count; i++) covered[tensor][i]++;
    }
    assert(covered.every((one) => one.every((times) => times === 1)));
    const total = counts.reduce((sum, count) => sum + count, 0);
    for (const share of shares) {
      const own = share.reduce((sum, { count }) => sum + count, 0);
      assert(Math.abs(own - total / size) <= 64 * (counts.length + 1), `${own} of ${total}`);
    }
  }
});
