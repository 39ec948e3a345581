/** What cards of three makers would be given is within their limits, is bound to be written only where it is, and is accepted by naga. */
import { assert, assertEquals } from "@std/assert";
import { CARDS, FURTHER_CARDS } from "../../gpu/device/cards.ts";
import { openGpu } from "../../gpu/device/open_gpu.ts";
import { kernelsOf } from "./all_kernels.ts";
import { kernelNeeds } from "./kernel_needs.ts";

// Of the strictest device that is known (SwiftShader): GPUs have more.
const MOST_STORAGES = 10;

Deno.test("a kernel's needs are read from its text", () => {
  const code = `const LANES = 16u; struct Top { value: f32, id: u32 }
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> z: array<f32>; // z[0] = 1.0;
var<workgroup> tops: array<Top, LANES>;
var<workgroup> sums: array<vec4<f32>, 3>;
@compute @workgroup_size(LANES) fn main() { y[u32(x[1])].x = select(0.0, 1.0, z[2u * u32(x[0])] == 1.0); }`;
  assertEquals(kernelNeeds(code), { threads: 16, bytes: 16 * 8 + 48, storages: 3, neverWritten: ["z"] });
});

// Those that only some shapes come to: were a shape taken out, they would be checked no more.
const FAMILIES = [
  /teams_1_/,
  /teams_(4|8|16)_.*rotary/,
  /teams_.*norm/,
  /teams_.*partial/,
  /attention_merge/,
  ...["f16", "q8_0", "q4_0", "q4_1"].flatMap((type) => [
    new RegExp(`nt_${type}_split_1x`),
    new RegExp(`nt_${type}_(split|tile)_16x`),
    new RegExp(`nn_${type}_tile.*sparse`),
  ]),
];

const checked = new Set<string>();

for (const [name, card] of Object.entries({ ...CARDS, ...FURTHER_CARDS })) {
  Deno.test(`every kernel for ${card.adapter.name} is within its limits`, async () => {
    const kernels = await kernelsOf(card);
    assert(kernels.size > 500, `${kernels.size} kernels`);
    for (const [code, label] of kernels) {
      const { threads, bytes, storages, neverWritten } = kernelNeeds(code);
      const { workgroups } = card;
      assert(threads >= 1 && threads <= workgroups.threads, `${label}: ${threads} invocations`);
      assert(bytes >= 0 && bytes <= workgroups.bytes, `${label}: ${bytes} bytes of workgroup memory`);
      assert(storages <= MOST_STORAGES, `${label}: ${storages} storage bindings`);
      assertEquals(neverWritten, [], `${label} binds to write what it only reads`);
      checked.add(code);
    }
    const labels = [...kernels.values()];
    const missing = FAMILIES.filter((family) => !labels.some((label) => family.test(label)));
    assertEquals(missing, [], `${name}: nothing was made of these`);
  });
}

Deno.test("naga accepts them all", async () => {
  const gpu = await openGpu();
  for (const code of checked) {
    gpu.device.pushErrorScope("validation");
    gpu.device.createShaderModule({ label: "tried", code });
    const error = await gpu.device.popErrorScope();
    assertEquals(error?.message, undefined, code);
  }
  gpu.close();
});
