/**
 * How long softcot takes to start, from its source and as one file, in turns:
 * `./softcot deno run -A tests/bench/start_bench.ts dist/softcot-VERSION-linux-x64 [--rounds 15]`
 *
 * @module
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { table } from "../../cli/terminal/table.ts";
import { root } from "../support/places.ts";

const { values, positionals } = parseArgs({
  args: Deno.args,
  allowPositionals: true,
  options: { rounds: { type: "string", default: "15" } },
});
const file = resolve(positionals[0]);
const folder = Deno.makeTempDirSync();
Deno.writeTextFileSync(`${folder}/nothing.js`, "");

/** Milliseconds of a process that has to succeed. */
async function time(program: string, args: string[], cache: string): Promise<number> {
  const env = { SOFTCOT_CACHE: cache, NO_COLOR: "1" };
  const began = performance.now();
  const { success, stderr } = await new Deno.Command(program, { args, env, stdin: "null" }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return performance.now() - began;
}

const LINES = [["--version"], ["--help"], ["eval", "check", "1/2", "0.5"], ["settings"]];
const times: Record<string, number[]> = {};
const note = async (name: string, run: Promise<number>) => (times[name] ??= []).push(await run);
const least = (name: string) => Math.min(...times[name]);
const median = (name: string) => times[name].toSorted((a, b) => a - b)[times[name].length >> 1];
try {
  for (let round = 0; round < Number(values.rounds); round++) {
    await note("Deno alone", time(Deno.execPath(), ["run", "--no-config", `${folder}/nothing.js`], folder));
    if (round < 3) await note("first", time(file, LINES[0], `${folder}/cache-${round}`));
    for (const line of LINES) {
      await note(`source ${line.join(" ")}`, time(`${root}softcot`, line, folder));
      await note(`file ${line.join(" ")}`, time(file, line, `${folder}/cache-0`));
    }
  }
} finally {
  Deno.removeSync(folder, { recursive: true });
}

const shown = (name: string) => `${least(name).toFixed(0)} / ${median(name).toFixed(0)}`;
const rows = LINES.map((line) => {
  const [source, one] = ["source", "file"].map((name) => `${name} ${line.join(" ")}`);
  return [line.join(" "), shown(source), shown(one), (least(one) / least(source)).toFixed(2)];
});
console.log(
  `Least and median of ${values.rounds} rounds in ms; Deno alone ${shown("Deno alone")}, first start ${
    shown("first")
  }\n`,
);
const header = ["softcot ...", "from source", "one file", "ratio of the least"];
console.log(table(rows, { header, align: ["left", "right", "right", "right"] }));
