/** Barriers are counted where wgpu puts them, and a dry device counts the work of a real one. */
import { assertEquals } from "@std/assert";
import { CARDS } from "../../gpu/device/cards.ts";
import { type BufferUse, countBarriers } from "../../gpu/device/count_barriers.ts";
import { openDryGpu } from "../../gpu/device/dry_gpu.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { matrixOf } from "../../gpu/matrix.ts";
import { addInto } from "../../gpu/ops/elementwise/elementwise.ts";
import { matmulNT } from "../../gpu/ops/matmul/matmul.ts";
import { rmsNorm } from "../../gpu/ops/norm/rms_norm.ts";
import { openTestGpu } from "./support.ts";

const [x, y, z] = ["x", "y", "z"].map((label) => ({ label }) as GPUBuffer);

/** Barriers that each command adds: `d` a dispatch, `c` a copy, `s` a submit. */
function barriersOf(commands: ["d" | "c" | "s", ...[GPUBuffer, BufferUse][]][]): number[] {
  const count = countBarriers();
  return commands.map(([kind, ...uses]) => {
    const before = count.barriers;
    if (kind === "s") count.submit();
    else count[kind === "d" ? "dispatch" : "copy"](new Map(uses));
    return count.barriers - before;
  });
}

Deno.test("within a pass a dispatch waits where a buffer changes its use, or is written again", () => {
  const barriers = barriersOf([
    ["d", [x, "read"], [y, "write"]],
    ["d", [x, "read"], [z, "write"]], // other buffers: side by side
    ["d", [y, "read"], [x, "read"]], // y was written
    ["d", [y, "read"]], // and is now read by both
    ["d", [z, "write"]], // twice the same
    ["d", [x, "write"], [y, "write"]], // both were read: one barrier
  ]);
  assertEquals(barriers, [0, 0, 1, 0, 1, 1]);
});

Deno.test("copies end a pass; passes and submits wait once for all their buffers", () => {
  const barriers = barriersOf([
    ["d", [x, "write"], [y, "write"]],
    ["c", [x, "copied"], [z, "filled"]], // x was written
    ["d", [x, "read"], [z, "read"]], // a new pass: it waits as it ends
    ["c", [z, "copied"], [x, "filled"]],
    ["s"], // nothing came before
    ["d", [x, "read"], [z, "write"]],
    ["d", [y, "read"]],
    ["s"], // x was filled, y written, z copied
    ["s"],
  ]);
  assertEquals(barriers, [0, 1, 0, 2, 0, 0, 0, 1, 0]);
});

const t = await openTestGpu({ matmulFamily: "tile" });

Deno.test("a dry device is given what a real one is", () => {
  const work = (gpu: Gpu) => {
    using scratch = gpu.arena.scratch();
    const [a, out] = ["a", "out"].map((label) => scratch.f32([3, 64], label));
    const weight = scratch.f32([64], "weight");
    const before = gpu.commands.counts.dispatches;
    rmsNorm(gpu, a, weight, out, scratch.f32([3], "rinv"), 1e-5);
    matmulNT(gpu, out, matrixOf(scratch.f32([64, 64], "w")), a);
    addInto(gpu, a, weight);
    return gpu.commands.counts.dispatches - before;
  };
  const dry = openDryGpu(CARDS.nvidia);
  assertEquals(work(dry), work(t.gpu));
  const { dispatches, barriers, kernels } = dry.commands.count();
  // The norm's output is read, and what that wrote is added to.
  assertEquals([dispatches, barriers, Object.keys(kernels).length], [3, 2, 3]);
  assertEquals(kernels.add, 1);
});
