import { assert, assertEquals } from "@std/assert";
import { run } from "../../gpu/kernel.ts";
import { philox, randomSource, randomStream } from "../../gpu/random.ts";
import {
  normalsFromWords,
  philox as reference,
  PHILOX_KNOWN_ANSWERS,
  type Words,
} from "../reference/random.ts";
import { maxAbsoluteError, randomIntegers } from "../reference/support.ts";
import { assertClose, openTestGpu } from "./support.ts";

const t = await openTestGpu();

// words[i] = philox(counters[i], key of i), normals[i] = normal4 of the same.
const KERNEL = `${randomSource}
struct Params { n: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> counters: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> keys: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read_write> words: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read_write> normals: array<vec4<f32>>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= p.n) { return; }
  words[id.x] = philox(counters[id.x], keys[id.x]);
  normals[id.x] = normal4(counters[id.x], keys[id.x]);
}`;

async function draw(counters: Words[], keys: [number, number][]) {
  const n = counters.length;
  const words = t.u32(new Uint32Array(4 * n), [n, 4]);
  const normals = t.blank(n, 4);
  run(
    t.gpu,
    { label: "test_philox", code: () => KERNEL },
    [t.u32(counters.flat()), t.u32(keys.flat()), words, normals],
    { n },
    [Math.ceil(n / 64)],
  );
  return { words: await t.readU32(words), normals: await t.read(normals) };
}

Deno.test("Random123's known answers, on the GPU and on the CPU", async () => {
  const { words } = await draw(
    PHILOX_KNOWN_ANSWERS.map(([counter]) => counter),
    PHILOX_KNOWN_ANSWERS.map(([, key]) => key),
  );
  PHILOX_KNOWN_ANSWERS.forEach(([counter, key, output], i) => {
    assertEquals([...words.subarray(4 * i, 4 * i + 4)], output);
    assertEquals([...philox(counter, key)], output);
  });
});

Deno.test("words and normals of random counters agree on GPU, CPU and in f64", async () => {
  const n = 5000;
  const random = randomIntegers(1, 6 * n, 2 ** 32);
  const counters = Array.from({ length: n }, (_, i) => [...random.subarray(6 * i, 6 * i + 4)] as Words);
  const keys = Array.from(
    { length: n },
    (_, i) => [random[6 * i + 4], random[6 * i + 5]] as [number, number],
  );
  const { words, normals } = await draw(counters, keys);
  const exact: number[] = [];
  counters.forEach((counter, i) => {
    const expected = reference(counter, keys[i]);
    assertEquals([...words.subarray(4 * i, 4 * i + 4)], expected);
    assertEquals([...philox(counter, keys[i])], expected);
    exact.push(...normalsFromWords(expected));
  });
  assertClose("normals", normals, exact);
  // Where u is near 1 its logarithm has few digits in f32, and fewer on devices with a rough one.
  assert(maxAbsoluteError(normals, exact) < 2e-3);
});

Deno.test("the CPU's stream is uniform in (0, 1), repeats, and differs between seeds, domains and streams", () => {
  const take = (seed: number, domain: number, stream?: number) => {
    const next = randomStream(seed, domain, stream);
    return Array.from({ length: 4000 }, next);
  };
  const base = take(1, 2, 3);
  assertEquals(base, take(1, 2, 3));
  for (const other of [take(2, 2, 3), take(1, 3, 3), take(1, 2, 4)]) {
    assertEquals(base.filter((u) => other.includes(u)).length < 5, true);
  }
  assert(base.every((u) => u > 0 && u < 1));
  const mean = base.reduce((sum, u) => sum + u / base.length, 0);
  assert(Math.abs(mean - 0.5) < 4 / Math.sqrt(12 * base.length));
});
