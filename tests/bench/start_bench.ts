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

/** What a start takes, in milliseconds: on the clock, and of processors, which other programs disturb less. */
interface Start {
  wall: number;
  cpu: number;
}

/** Times a process that has to succeed, and all that it starts. */
async function time(program: string, args: string[], cache: string): Promise<Start> {
  const env = { SOFTCOT_CACHE: cache, NO_COLOR: "1" };
  const line = ["-c", '"$@" >/dev/null || exit; times', "sh", program, ...args];
  const began = performance.now();
  const { success, stdout, stderr } = await new Deno.Command("sh", { args: line, env, stdin: "null" })
    .output();
  const wall = performance.now() - began;
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  // The second line is of children: user and system, as 0m0.012s.
  const spent = new TextDecoder().decode(stdout).split("\n")[1].matchAll(/(\d+)m([\d.]+)s/g);
  return { wall, cpu: [...spent].reduce((sum, [, m, s]) => sum + 60e3 * Number(m) + 1e3 * Number(s), 0) };
}

const LINES = [["--version"], ["--help"], ["eval", "check", "1/2", "0.5"], ["settings"]];
const starts: Record<string, Start[]> = {};
const note = async (name: string, run: Promise<Start>) => (starts[name] ??= []).push(await run);
const median = (name: string, kind: keyof Start) =>
  starts[name].map((start) => start[kind]).toSorted((a, b) => a - b)[starts[name].length >> 1];
const shown = (name: string) => `${median(name, "cpu").toFixed(0)} (${median(name, "wall").toFixed(0)})`;
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

const rows = LINES.map((line) => {
  const [source, one] = ["source", "file"].map((name) => `${name} ${line.join(" ")}`);
  return [line.join(" "), shown(source), shown(one), (median(one, "cpu") / median(source, "cpu")).toFixed(2)];
});
console.log(`Medians of ${values.rounds} rounds: ms of processors (ms on the clock)\n`);
rows.unshift(["Deno alone", "", shown("Deno alone"), ""], ["the first start", "", shown("first"), ""]);
const header = ["", "from source", "one file", "ratio"];
console.log(table(rows, { header, align: ["left", "right", "right", "right"] }));
