import type { Gpu } from "../gpu.ts";
import { run } from "../kernel.ts";
import { createMatrix, freeMatrix, type WeightType } from "../matrix.ts";
import { matmulNT } from "../ops/matmul/matmul.ts";
import { randomSource } from "../random.ts";
import { matmulError } from "./matmul_error.ts";

/** Whether products come out right, and how fast a large one is. */
interface MatmulTest {
  /** The largest normalised mean squared error against f64 of all sizes. */
  error: number;
  gigaflops: number;
}

const LARGE = 512;
// Odd ones, for which every kernel has a form without vectors; aligned ones of few rows and of many.
const SIZES = [[37, 53, 29], [2, 256, 512], [48, 192, 320], [LARGE, LARGE, LARGE]] as const;

/** Tries the matrix product with weights of the given type. */
export async function testMatmul(gpu: Gpu, dtype: WeightType): Promise<MatmulTest> {
  const errors: number[] = [];
  for (const sizes of SIZES) errors.push(await matmulError(gpu, sizes, dtype));
  return { error: Math.max(...errors), gigaflops: await matmulSpeed(gpu, dtype) };
}

async function matmulSpeed(gpu: Gpu, dtype: WeightType): Promise<number> {
  const rounds = 8;
  using scratch = gpu.arena.scratch();
  const x = scratch.f32([LARGE, LARGE], "speed rows");
  const out = scratch.f32([LARGE, LARGE], "speed product");
  const weight = createMatrix(gpu, LARGE, LARGE, dtype, "speed weight");
  gpu.commands.zero(x);
  const started = performance.now();
  for (let i = 0; i < rounds; i++) matmulNT(gpu, x, weight, out);
  await gpu.reader.read({ ...out, shape: [1] });
  const seconds = (performance.now() - started) / 1000;
  freeMatrix(gpu, weight);
  return rounds * 2 * LARGE ** 3 / seconds / 1e9;
}

// Random123's known answers for philox4x32-10: counter, key, output.
const KNOWN_ANSWERS = [
  [[0, 0, 0, 0], [0, 0], [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]],
  [
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    [0xffffffff, 0xffffffff],
    [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  ],
  [
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    [0xa4093822, 0x299f31d0],
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  ],
];

const PHILOX = `${randomSource}
struct Params { n: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> given: array<u32>;
@group(0) @binding(2) var<storage, read_write> words: array<vec4<u32>>;
@compute @workgroup_size(1)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let at = id.x * 6u;
  let counter = vec4<u32>(given[at], given[at + 1u], given[at + 2u], given[at + 3u]);
  words[id.x] = philox(counter, vec2<u32>(given[at + 4u], given[at + 5u]));
}`;

/** Whether the device's random numbers are Random123's. */
export async function testRandom(gpu: Gpu): Promise<boolean> {
  using scratch = gpu.arena.scratch();
  const count = KNOWN_ANSWERS.length;
  const given = scratch.u32([count, 6], "self test counters");
  gpu.commands.upload(
    given,
    Uint32Array.from(KNOWN_ANSWERS.flatMap(([counter, key]) => [...counter, ...key])),
  );
  const words = scratch.u32([count, 4], "self test words");
  run(gpu, { label: "self_test_philox", code: () => PHILOX }, [given, words], { n: count }, [count]);
  const found = new Uint32Array(await gpu.reader.read(words));
  return KNOWN_ANSWERS.flatMap(([, , output]) => output).every((word, i) => found[i] === word);
}

const LOOP = `
struct Params { n: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> out: array<u32>;
@compute @workgroup_size(1)
fn main() {
  // A chain that no compiler turns into a formula.
  var state = 1u;
  var i = 0u;
  for (; i < p.n; i++) { state = state * 1664525u + (state >> 16u) + 1013904223u; }
  out[0] = i;
  out[1] = state;
}`;

/** How far a loop of 100,000 rounds gets: some software devices end every loop after 65,535, in silence. */
export async function testLongLoop(gpu: Gpu): Promise<{ asked: number; reached: number }> {
  using scratch = gpu.arena.scratch();
  const asked = 100_000;
  const out = scratch.u32([2], "self test loop");
  run(gpu, { label: "self_test_loop", code: () => LOOP }, [out], { n: asked }, [1]);
  const [reached] = new Uint32Array(await gpu.reader.read(out));
  return { asked, reached };
}
