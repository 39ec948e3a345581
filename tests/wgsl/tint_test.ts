/** Tint, the other compiler of WGSL beside naga, accepts every kernel that it is meant to. */
import { assert, assertEquals } from "@std/assert";
import { root } from "../support/places.ts";
import { allKernels } from "./all_kernels.ts";
import { DAWN_FLAGS, DAWN_PACKAGE } from "./dawn_package.ts";

// As tint.ts ends where the package cannot be had.
const NOT_HERE = 3;
class NotHere extends Error {}

async function tint(
  texts: readonly [code: string, label: string][],
): Promise<{ label: string; message: string }[]> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [...DAWN_FLAGS, `${root}/tests/wgsl/tint.ts`, DAWN_PACKAGE],
    ...{ stdin: "piped", stdout: "piped", stderr: "piped" },
  }).spawn();
  const writer = child.stdin.getWriter();
  // It may end before it has read all.
  await writer.write(new TextEncoder().encode(JSON.stringify(texts))).catch(() => {});
  await writer.close().catch(() => {});
  const { code, stdout, stderr } = await child.output();
  const said = new TextDecoder().decode(stderr);
  if (code === NOT_HERE) throw new NotHere(said);
  if (code !== 0) throw new Error(`Tint did not run: status ${code}: ${said}`);
  return JSON.parse(new TextDecoder().decode(stdout));
}

let collected: ReturnType<typeof allKernels> | undefined;
const kernels = () => collected ??= allKernels();

const missing = await tint([]).then(() => undefined, (error) => {
  if (!(error instanceof NotHere)) throw error;
  return error.message;
});
if (missing) console.warn(`skipped, since ${DAWN_PACKAGE} cannot be had: ${missing}`);

Deno.test({ name: "Tint refuses what it should", ignore: missing !== undefined }, async () => {
  const head = "@compute @workgroup_size(8) fn main(@builtin(subgroup_size) size: u32) { let x = ";
  const refused = await tint([[`${head}size / 2u & 3u; }`, "mixed"], [`${head}(size / 2u) & 3u; }`, "fine"]]);
  assertEquals(refused.map(({ label }) => label), ["mixed"]);
});

Deno.test(
  { name: "Tint accepts every kernel but those of 64-bit words", ignore: missing !== undefined },
  async () => {
    const all = await kernels();
    assert(all.size > 1000, `${all.size} kernels`);
    assertEquals((await tint([...all])).slice(0, 5), []);
  },
);

// Its words of 64 bits are naga's alone.
const NAGA_ALONE = ["gpu/ops/choose/choose_u64.wgsl"];

Deno.test("every WGSL file is part of a kernel that is tried", async () => {
  const codes = [...(await kernels()).keys()].join("\n");
  for (const file of wgslFiles("gpu")) {
    if (NAGA_ALONE.includes(file)) continue;
    const lines = Deno.readTextFileSync(`${root}/${file}`).split("\n");
    // Placeholders are filled in.
    const own = lines.filter((line) => !/^\/\/|FREE|LANE_MEMORY|MORE_FIELDS/.test(line));
    const longest = own.reduce((one, other) => other.length > one.length ? other : one, "");
    assert(codes.includes(longest), `no kernel holds ${file}`);
  }
});

function wgslFiles(folder: string): string[] {
  return [...Deno.readDirSync(`${root}/${folder}`)].flatMap(({ name, isDirectory }) => {
    const path = `${folder}/${name}`;
    return isDirectory ? wgslFiles(path) : name.endsWith(".wgsl") ? [path] : [];
  });
}
