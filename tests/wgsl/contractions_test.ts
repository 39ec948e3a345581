/** No kernel that rollouts and updates share leaves it to a driver whether a product that is added is rounded once or twice. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { CARDS } from "../../gpu/device/cards.ts";
import { kernelsOf } from "./all_kernels.ts";
import { contractions } from "./contractions.ts";

/**
 * Kernels whose results no other kernel has to meet, by the beginnings of their labels, and why. All others are looked at: a new kernel is,
 * until it is named here.
 */
const WITHOUT_PARTNER: Readonly<Record<string, string>> = {
  adamw: "an update's step",
  block_diagonal_backward: "a gradient",
  check_device: "tries the device",
  divergence: "a statistic",
  draws_score: "a gradient",
  entropy_gradient: "a gradient",
  head_norm_backward: "a gradient",
  mixture_backward: "a gradient",
  noise_ratio: "a gradient",
  pair_sums: "a statistic",
  peak_multiply_add: "measures the device",
  rms_norm_backward: "a gradient",
  rms_norm_weight: "a gradient",
  rotary_backward: "a gradient",
  scatter_few: "a gradient",
  swiglu_backward: "a gradient",
};

const HEAD = `struct Params { n: u32, scale: f32 } // 1.0 * 2.0 + 3.0
struct Pair { first: vec4<f32>, last: f32, count: u32 }
alias V = vec4<f32>;
const LANES = 8u; const HALF = 0.5;
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read> info: array<vec4<u32>>;
var<workgroup> sums: array<f32, LANES * 2u>;
fn total(v: V) -> f32 { return (v.x + v.y) + (v.z + v.w); }
fn scaled(a: f32) -> f32 { return p.scale * a; }
fn plus(a: f32, b: f32) -> f32 { return a + b; }
fn larger(a: f32) -> f32 { return max(a * a, 1.0); }
`;

const placesIn = (body: string): string[] =>
  contractions(
    `${HEAD}@compute @workgroup_size(LANES) fn main(@builtin(local_invocation_index) i: u32) {
  let a = y[i]; let b = y[i + 1u]; let c = y[i + 2u]; let v = x[i]; let who = info[i];
  ${body}
}`,
  ).map(({ text }) => text);

const FOUND: readonly [what: string, body: string, ...places: string[]][] = [
  ["a product that is added", "y[i] = a * b + c;", "a * b + c"],
  ["one that is subtracted", "y[i] = c - (a * b);", "c - (a * b)"],
  ["behind a sign", "y[i] = -(a * b) - c;", "-(a * b) - c"],
  ["two, once", "y[i] = a * b + b * c;", "a * b + b * c"],
  ["in a part of a sum", "y[i] = a + b * c + 1.0;", "a + b * c"],
  ["in two parts of one", "y[i] = a * b + 1.0 - b * c;", "a * b + 1.0", "a * b + 1.0 - b * c"],
  ["in an element", "var w: array<f32, 4>; w[i] = a * b; y[i] = w[2] + c;", "w[2] + c"],
  ["added to what is stored", "y[i] += p.scale * a;", "y[i] += p.scale * a"],
  ["of plain numbers and a constant", "y[i] = HALF * a + 1;", "HALF * a + 1"],
  ["of vectors", "let w = p.scale * v + x[0]; y[i] = w.x;", "p.scale * v + x[0]"],
  ["made to a vector", "var s = V(); s += vec4<f32>(a, a * b, c, 1.0);", "s += vec4<f32>(a, a * b, c, 1.0)"],
  ["through a variable", "let t = a * b; let u = t; y[i] = c + u;", "c + u"],
  ["assigned before", "var t = a; t *= b; y[i] = t - c;", "t - c"],
  ["in a component", "var w = v; w.y = a * b; y[i] = w.y + c; y[i] = w.x + c;", "w.y + c"],
  ["in a field", "var w = Pair(v, a, 1u); w.last = a * b; y[i] = w.last + c;", "w.last + c"],
  ["on one of two ways", "var t = a; if (i > 0u) { t = a * b; } else { t = b; } y[i] = t + c;", "t + c"],
  [
    "from the round before",
    "var t = a; for (var k = 0u; k < p.n; k++) { y[k] = t + c; t = t * b; }",
    "t + c",
  ],
  ["that a function gives", "y[i] = scaled(a) + b;", "scaled(a) + b"],
  ["that a function is given", "y[i] = plus(a, b * c);", "a + b"],
  ["given to a function on vectors", "y[i] = total(v * v);", "(v.x + v.y)", "(v.z + v.w)"],
  ["within an argument", "y[i] = exp(a * b - c);", "a * b - c"],
  ["within an index", "y[u32(a * b + c)] = a;", "a * b + c"],
  ["sums of products of their own", "y[i] = dot(v, v);", "dot(v, v)"],
];

const NOT_FOUND: readonly [what: string, body: string][] = [
  ["whole numbers", "y[i * 2u + LANES * who.x] = a; let k = i32(i) * 3 - 1; y[k] = b;"],
  ["vectors of whole numbers", "let w = who * 2u + who.yxzw; y[w.x] = a; y[dot(who, who)] = a;"],
  ["a product in fma", "y[i] = fma(a, b, b * c) + fma(a * b, c, -(a * b));"],
  ["one that a function takes", "y[i] = max(a * b, 0.0) + exp(a * b) + select(a, a * b, a < b) + larger(a);"],
  ["one that is divided", "y[i] = a * b / c + 1.0;"],
  ["one that is multiplied alone", "y[i] = a * b * c;"],
  ["one that memory takes", "sums[i] = a * b; y[i] = sums[i] + c; y[i] *= b; y[i] += c;"],
  ["one that another value replaced", "var t = a * b; y[i] = t; t = a; y[i] = t + c;"],
  ["one of another variable of its name", "{ let t = a * b; y[i] = t; } let t = a; y[i] = t + c;"],
  ["one whose way ends", "var t = a; if (i > 0u) { t = a * b; y[i] = t; return; } y[i] = t + c;"],
  ["comments and comparisons", "/* a * b + c */ if (a * b < c && i < p.n) { y[i] = a; } // a * b + c"],
];

for (const [what, body, ...places] of FOUND) {
  Deno.test(`a product is found: ${what}`, () => assertEquals(placesIn(body), places));
}

for (const [what, body] of NOT_FOUND) {
  Deno.test(`nothing is found: ${what}`, () => assertEquals(placesIn(body), []));
}

Deno.test("a place is told with its line", () =>
  assertEquals(contractions("fn f(a: f32) -> f32 {\n  let b = a;\n  return a * b\n    + 1.0;\n}"), [
    { line: 3, text: "a * b + 1.0" },
  ]));

Deno.test("what cannot be read is refused", () => {
  assertThrows(() => placesIn("y[i] = unheardOf(a);"), Error, "Cannot follow a call of unheardOf");
  assertThrows(() => placesIn("y[i] = d;"), Error, "Cannot follow d");
  assertThrows(() => placesIn("switch (i) {}"), Error, "Cannot read WGSL at line 16");
});

Deno.test("kernels that rollouts and updates share add no product outside fma", async () => {
  const kernels = new Map<string, string>();
  for (const card of Object.values(CARDS)) for (const one of await kernelsOf(card)) kernels.set(...one);
  assert(kernels.size > 1000, `${kernels.size} kernels`);
  const [found, places] = [new Set<string>(), new Set<string>()];
  for (const [code, label] of kernels) {
    const alone = Object.keys(WITHOUT_PARTNER).find((start) => label.startsWith(start));
    for (const { text } of contractions(code)) {
      if (alone) found.add(alone);
      else places.add(`${label}: ${text}`);
    }
  }
  assertEquals([...places], []);
  assertEquals(Object.keys(WITHOUT_PARTNER).filter((one) => !found.has(one)), [], "named without need");
});
