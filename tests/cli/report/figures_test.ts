import { assert, assertEquals, assertMatch } from "@std/assert";
import { testFolder } from "../../support/folders.ts";
import { fails, succeed } from "../support/run_softcot.ts";

const folder = await testFolder();
const runs = ["soft", "hard"].map((thinking) => {
  const run = `${folder}/runs/${thinking}`;
  Deno.mkdirSync(run, { recursive: true });
  Deno.writeTextFileSync(
    `${run}/config.toml`,
    `thinking = "${thinking}"\ntask = "sums"\nseed = 0\nsteps = 20\n`,
  );
  const lines = Array.from(
    { length: 20 },
    (_, i) =>
      JSON.stringify({
        step: i + 1,
        accuracy: i / 20,
        thinking_entropy: 1 / (i + 1),
        tokens: 9,
        time: { step: 1 },
      }),
  );
  Deno.writeTextFileSync(`${run}/metrics.jsonl`, `${lines.join("\n")}\n`);
  return run;
});

const names = (path: string) => [...Deno.readDirSync(path)].map(({ name }) => name).sort();

/** Width and height, as a PNG's head has them. */
function sizeOf(png: Uint8Array): [number, number] {
  assertEquals([...png.subarray(0, 8)], [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const head = new DataView(png.buffer, png.byteOffset);
  return [head.getUint32(16), head.getUint32(20)];
}

Deno.test("figures are one sheet of all curves and a file for each, as SVG and as PNG of 300 dots to the inch", async () => {
  await succeed(["report", ...runs, "--svg", `${folder}/svg`, "--png", `${folder}/png`]);
  assertEquals(names(`${folder}/svg`), ["accuracy.svg", "curves.svg", "thinking-entropy.svg"]);
  assertEquals(names(`${folder}/png`), ["accuracy.png", "curves.png", "thinking-entropy.png"]);
  const svg = Deno.readTextFileSync(`${folder}/svg/curves.svg`);
  assertMatch(svg, />soft<\/text>.*>hard<\/text>/);
  const [, width, height] = /width="(\d+)" height="(\d+)"/.exec(svg)!.map(Number);
  const size = sizeOf(Deno.readFileSync(`${folder}/png/curves.png`));
  [width, height].forEach((of, i) => assert(Math.abs(size[i] - of * 300 / 96) <= 1, `${size}`));
});

Deno.test("figures are of the metrics that are named, several in one with a +", async () => {
  await succeed([
    "report",
    ...runs,
    "--svg",
    `${folder}/own`,
    "--metrics",
    "accuracy+thinking_entropy,tokens",
  ]);
  assertEquals(names(`${folder}/own`), ["accuracy-thinking-entropy.svg", "curves.svg", "tokens.svg"]);
});

Deno.test("where no run has what is asked for nothing is written", async () => {
  const args = ["report", runs[0], "--svg", `${folder}/none`, "--metrics", "acuracy"];
  await fails(args, 1, "Cannot draw figures: no run here has", "--metrics accuracy,thinking_tokens");
  assertEquals(names(folder).includes("none"), false);
});
