import { assert, assertEquals, assertThrows } from "@std/assert";
import { createArena, sizeClass } from "../../gpu/arena.ts";
import { openDryGpu, SOME_GPU } from "../../gpu/device/dry_gpu.ts";

/** An arena that makes no buffers, and what happens to those it would make. */
function dryArena() {
  const { device } = openDryGpu(SOME_GPU);
  const made: number[] = [];
  const arena = createArena({
    ...device,
    createBuffer: ({ size }: GPUBufferDescriptor) => (made.push(size), { destroy() {} }),
  } as unknown as GPUDevice);
  /** Takes f32 tensors by label and length in a scope of their own, and says which buffers they got. */
  const step = (...wanted: [label: string, floats: number][]) => {
    using scratch = arena.scratch();
    return wanted.map(([label, floats]) => scratch.f32([floats], label).storage);
  };
  return { arena, made, step };
}

Deno.test("size classes waste at most a sixteenth, in multiples of 256 bytes", () => {
  for (const bytes of [1, 255, 256, 257, 5000, 123456, 2 ** 24 + 4]) {
    const size = sizeClass(bytes);
    assert(size >= bytes && size % 256 === 0);
    assert(size <= Math.max(bytes * 1.0625, bytes + 256), `${bytes} in ${size}`);
  }
});

Deno.test("lasting tensors are counted, and no more once they are freed", () => {
  const { arena } = dryArena();
  const tensor = arena.create([5, 5], "f32", "mine");
  assertEquals([arena.bytes, arena.peakBytes], [128, 128]);
  arena.free(tensor);
  assertEquals([arena.bytes, arena.peakBytes], [0, 128]);
});

Deno.test("tensors of one scope have buffers of their own; the next scope gets them in the same order", () => {
  const { made, step } = dryArena();
  const first = step(["x", 1000], ["y", 1000], ["x", 1000]);
  assertEquals(new Set(first).size, 3);
  assertEquals(step(["x", 1000], ["y", 1000], ["x", 1000]), first);
  assertEquals(made.length, 3);
});

Deno.test("a label's buffers serve for all that is shorter, and are replaced by what is longer: in the end none is made", () => {
  const { arena, made, step } = dryArena();
  step(["x", 9000], ["x", 500]);
  const { bytes } = arena;
  const same = step(["x", 9000], ["x", 500]);
  for (const [a, b] of [[10, 10], [9000, 500], [1, 499]]) assertEquals(step(["x", a], ["x", b]), same);
  assertEquals([arena.bytes, made.length], [bytes, 2]);
  const [long, short] = step(["x", 12000], ["x", 500]);
  assertEquals([long.bytes, short], [sizeClass(48000), same[1]]);
  assertEquals(arena.bytes, bytes - same[0].bytes + long.bytes);
  for (let n = 12000; n > 0; n -= 37) assertEquals(step(["x", n], ["x", 500]), [long, short]);
});

Deno.test("works that are never under way together share their buffers, and go on to do so as they grow", () => {
  const { arena, made, step } = dryArena();
  step(["rollout", 5000]);
  const [shared] = step(["update", 6000]);
  assertEquals([made.length, arena.bytes], [2, shared.bytes]);
  for (let i = 0; i < 5; i++) {
    assertEquals([step(["rollout", 4000]), step(["update", 6000])], [[shared], [shared]]);
  }
  const [longer] = step(["update", 30000]);
  assertEquals(arena.bytes, longer.bytes);
  assertEquals([step(["rollout", 4000]), step(["update", 30000])], [[longer], [longer]]);
  assert(step(["tiny", 10])[0] !== longer, "a buffer far too large is not lent");
});

Deno.test("memory follows the longest step, and settles however lengths change", () => {
  const { arena, made, step } = dryArena();
  const labels = ["q", "k", "v", "hidden"];
  const of = (rows: number) => labels.map((label, i): [string, number] => [label, rows * 64 * (i + 1)]);
  const longest = 4096;
  const needed = of(longest).reduce((sum, [, floats]) => sum + sizeClass(4 * floats), 0);
  for (let i = 0; i < 60; i++) {
    step(...of(1000 + (i * 1237) % 3097));
    assert(arena.peakBytes <= needed, `${arena.peakBytes} bytes, at most ${needed} are needed`);
  }
  step(...of(longest));
  const count = made.length;
  for (let i = 0; i < 60; i++) step(...of(1000 + (i * 911) % 3097));
  assertEquals([made.length, arena.bytes], [count, needed]);
});

Deno.test("what turns out to be in use together stops sharing, and nothing is made any more", () => {
  const { arena, made, step } = dryArena();
  /** x is lent to y, first alone, then while x is wanted as well: y goes first. */
  const together = () => step(["y", 6000], ["x", 6000]);
  step(["x", 6000]);
  assertEquals([step(["y", 6000]), made.length], [[...step(["x", 6000])], 1]);
  const both = together();
  assertEquals([new Set(both).size, made.length], [2, 2]);
  for (let i = 0; i < 3; i++) assertEquals(together(), both);
  const { bytes } = arena;
  for (let i = 0; i < 9; i++) {
    step(["x", 6000]);
    step(["y", 5000]);
    together();
  }
  assertEquals([arena.bytes, made.length], [bytes, 2]);
});

Deno.test("a loan that ends leaves no large buffer with a small borrower", () => {
  const { arena, step } = dryArena();
  step(["small", 0], ["grows", 6000]);
  step(["borrows", 5000]);
  step(["grows", 50000]);
  // Lent by habit: far too large by now, and wanted at the same time.
  step(["borrows", 5000], ["grows", 50000]);
  step(["borrows", 5000], ["grows", 50000]);
  assertEquals(arena.bytes, 256 + sizeClass(20000) + sizeClass(200000));
});

Deno.test("trim gives back what waits, and nothing that is in use", () => {
  const { arena, step } = dryArena();
  using kept = arena.scratch();
  const { bytes } = kept.f32([100], "kept").storage;
  step(["x", 5000], ["y", 70]);
  arena.trim();
  assertEquals(arena.bytes, bytes);
  step(["x", 5000]);
  assertEquals(arena.bytes, bytes + sizeClass(20000));
});

Deno.test("what is recorded is submitted before a buffer is destroyed", () => {
  const { arena, step } = dryArena();
  let flushes = 0;
  arena.beforeDestroy = () => flushes++;
  step(["x", 100]);
  assertEquals(flushes, 0);
  step(["x", 1000]);
  assertEquals(flushes, 1);
  arena.trim();
  assertEquals(flushes, 2);
});

Deno.test("no class is larger than a binding, where what is wanted is not", () => {
  const { device } = openDryGpu(SOME_GPU);
  const limits = { maxBufferSize: 2 ** 31, maxStorageBufferBindingSize: 2 ** 31 - 4 };
  const arena = createArena({ ...device, limits } as unknown as GPUDevice);
  using scratch = arena.scratch();
  const { bytes } = scratch.f32([(2 ** 31 - 4096) / 4], "nearly all").storage;
  assert(bytes >= 2 ** 31 - 4096 && bytes <= limits.maxStorageBufferBindingSize, `${bytes}`);
  assertThrows(() => arena.create([2 ** 30], "f32", "giant"), Error, "Cannot create giant");
});
