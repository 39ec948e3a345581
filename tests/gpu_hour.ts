/**
 * The first hour on a GPU that softcot has not met, in at most eight minutes: is it right, is it fast, and what should be mended.
 * Ends in one table and one line of JSON, also where parts fail, hang or lose the device; each runs as a process of its own.
 *
 *     ./softcot deno run -A tests/gpu_hour.ts [--out FILE.json] [--parts device,doctor,...] [--minutes 8] [--tiny]
 *
 * --out: where the JSON goes besides. --tiny: sizes that a software device gets through in a minute or two, to try the program
 * itself. Beside a figure stands what it should be near: the maker's data sheet, other figures of the same hour, or what is published.
 * Ends with status 1 if a part failed, ran out of time, or was stopped by Ctrl-C, which leaves what was found till then; with 2 for wrong usage.
 */
import { table } from "../cli/terminal/table.ts";
import { reportError } from "../cli/terminal/report_error.ts";
import { seeToVulkan } from "../cli/vulkan/see_to_vulkan.ts";
import { addExpectations } from "./gpu_hour/add_expectations.ts";
import { type HourOptions, hourOptions } from "./gpu_hour/hour_options.ts";
import { type KeptReport, keptReport } from "./gpu_hour/kept_report.ts";
import type { PartResult } from "./gpu_hour/part.ts";
import { PARTS } from "./gpu_hour/parts.ts";
import { runPart } from "./gpu_hour/run_part.ts";

/** What the hour found. */
interface Report {
  adapter: string;
  deno: string;
  tiny: boolean;
  seconds: number;
  parts: PartResult[];
}

const options = orEnd(2, () => hourOptions(Deno.args));
const kept = orEnd(1, () => keptReport(options.out));
// As commands do before they open a device; parts that open one themselves have it by the environment.
seeToVulkan();
// Parts are in groups of their own, which Ctrl-C does not reach.
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, () => stop.abort());
const report = await measureAll(options, kept);
if (!options.tiny) addExpectations(report.adapter, report.parts);
kept.keep(report);
console.log(describe(report));
console.log(JSON.stringify(report));
const isWhole = report.parts.every(({ state }) => state === "ok") && kept.isWhole();
Deno.exit(isWhole && !stop.signal.aborted ? 0 : 1);

/** Does it, or tells why not and ends the process. */
function orEnd<T>(status: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    reportError(error);
    Deno.exit(status);
  }
}

async function measureAll({ tiny, minutes, parts: wanted }: HourOptions, kept: KeptReport): Promise<Report> {
  const started = performance.now();
  // The table itself wants a second.
  const end = started + 60_000 * minutes - 2000;
  const scratch = orEnd(1, () => Deno.makeTempDirSync({ prefix: "softcot-gpu-hour-" }));
  const report: Report = { adapter: "unknown", deno: Deno.version.deno, tiny, seconds: 0, parts: [] };
  const parts = PARTS.filter(({ name }) => wanted.includes(name));
  for (const [i, part] of parts.entries()) {
    if (stop.signal.aborted) break;
    const left = (end - performance.now()) / 1000;
    const others = parts.slice(i + 1).reduce((sum, { seconds }) => sum + seconds, 0);
    const seconds = Math.max(part.seconds, left - others);
    const result = await runPart({ ...part, seconds }, { tiny, scratch, stop: stop.signal }, left);
    report.parts.push(result);
    report.adapter = report.parts.find(({ adapter }) => adapter)?.adapter ?? "unknown";
    report.seconds = (performance.now() - started) / 1000;
    console.error(`${part.name}: ${result.state}, ${result.seconds.toFixed(1)} s`);
    kept.keep(report);
  }
  try {
    Deno.removeSync(scratch, { recursive: true });
  } catch {
    // a process that could not be killed may still write there
  }
  return report;
}

function describe({ adapter, parts }: Report): string {
  const rows = parts.flatMap(({ name, state, seconds, figures, reason }) => [
    [name, state, seconds.toFixed(1), "s", reason ?? ""],
    ...figures.map(({ what, value, unit, near }) => ["", what, shown(value), unit, near ?? ""]),
  ]);
  return `${adapter}\n\n${
    table(rows, {
      header: ["part", "what", "value", "", "near"],
      align: ["left", "left", "right", "left", "left"],
    })
  }`;
}

function shown(value: number): string {
  return Number.isInteger(value) ? String(value) : value >= 1000 ? value.toFixed(0) : value.toPrecision(3);
}
