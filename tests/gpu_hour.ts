/**
 * The first hour on a GPU that softcot has not met, in at most eight minutes: is it right, is it fast, and what should be mended.
 * Ends in one table and one line of JSON, also where parts fail, hang or lose the device; each runs as a process of its own.
 *
 *     ./softcot deno run -A tests/gpu_hour.ts [--out FILE.json] [--parts device,doctor,...] [--minutes 8] [--tiny]
 *
 * --out: where the JSON goes besides. --tiny: sizes that a software device gets through in a minute or two, to try the program
 * itself. Beside a figure stands what it should be near: the maker's data sheet, other figures of the same hour, or what is published.
 * Ends with status 1 if a part failed, ran out of time, or was stopped by Ctrl-C, which leaves what was found till then.
 */
import { parseArgs } from "node:util";
import { table } from "../cli/terminal/table.ts";
import { seeToVulkan } from "../cli/vulkan/see_to_vulkan.ts";
import { addExpectations } from "./gpu_hour/add_expectations.ts";
import type { PartResult } from "./gpu_hour/part.ts";
import { PARTS } from "./gpu_hour/parts.ts";
import { runPart } from "./gpu_hour/run_part.ts";

const { values } = parseArgs({
  options: {
    out: { type: "string" },
    parts: { type: "string", default: PARTS.map(({ name }) => name).join(",") },
    minutes: { type: "string", default: "8" },
    tiny: { type: "boolean", default: false },
  },
});
const wanted = values.parts.split(",");
const unknown = wanted.find((name) => !PARTS.some((part) => part.name === name));
if (unknown !== undefined) {
  throw new Error(`Cannot measure ${unknown}: parts are ${PARTS.map(({ name }) => name)}`);
}

// As commands do before they open a device; parts that open one themselves have it by the environment.
seeToVulkan();
// The table itself wants a second.
const end = performance.now() + 60_000 * Number(values.minutes) - 2000;
const started = performance.now();
const results: PartResult[] = [];
const scratch = Deno.makeTempDirSync({ prefix: "softcot-gpu-hour-" });
// Parts are in groups of their own, which Ctrl-C does not reach.
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, () => stop.abort());
try {
  const parts = PARTS.filter(({ name }) => wanted.includes(name));
  for (const [i, part] of parts.entries()) {
    if (stop.signal.aborted) break;
    const left = (end - performance.now()) / 1000;
    const kept = parts.slice(i + 1).reduce((sum, { seconds }) => sum + seconds, 0);
    const seconds = Math.max(part.seconds, left - kept);
    const result = await runPart(
      { ...part, seconds },
      { tiny: values.tiny, scratch, stop: stop.signal },
      left,
    );
    results.push(result);
    console.error(`${part.name}: ${result.state}, ${result.seconds.toFixed(1)} s`);
    // A machine that is taken away leaves what was found till then.
    keep(report());
  }
} finally {
  Deno.removeSync(scratch, { recursive: true });
}
const whole = report();
if (!values.tiny) addExpectations(whole.adapter, results);
keep(whole);
console.log(describe());
console.log(JSON.stringify(whole));
Deno.exit(results.every(({ state }) => state === "ok") && !stop.signal.aborted ? 0 : 1);

function report() {
  const seconds = (performance.now() - started) / 1000;
  const adapter = results.find(({ name }) => name === "device")?.adapter ?? "unknown";
  return { adapter, deno: Deno.version.deno, tiny: values.tiny, seconds, parts: results };
}

function keep(report: unknown): void {
  if (values.out === undefined) return;
  Deno.writeTextFileSync(`${values.out}.new`, JSON.stringify(report) + "\n");
  Deno.renameSync(`${values.out}.new`, values.out);
}

function describe(): string {
  const rows = results.flatMap(({ name, state, seconds, figures, reason }) => [
    [name, state, seconds.toFixed(1), "s", reason?.split("\n").at(-1) ?? ""],
    ...figures.map(({ what, value, unit, near }) => ["", what, shown(value), unit, near ?? ""]),
  ]);
  return `${whole.adapter}\n\n${
    table(rows, {
      header: ["part", "what", "value", "", "near"],
      align: ["left", "left", "right", "left", "left"],
    })
  }`;
}

function shown(value: number): string {
  return Number.isInteger(value) ? String(value) : value >= 1000 ? value.toFixed(0) : value.toPrecision(3);
}
