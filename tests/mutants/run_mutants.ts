/**
 * Puts small faults into a copy of the project, one at a time, and tells which tests notice them.
 *
 *     deno run -A tests/mutants/run_mutants.ts [--only TEXT] [--from N] [--to N] [--jobs 1] [--json]
 *
 * --only: those whose file or fault has this text. --from, --to: those from this number on, and up to that one. Ends with status 1 if more than one in twenty
 * lives. Takes some seconds a mutant, minutes where all tests of a command are run.
 */
import { parseArgs } from "node:util";
import { table } from "../../cli/terminal/table.ts";
import { root } from "../support/places.ts";
import type { Mutant } from "./mutant.ts";
import { MUTANTS } from "./mutants.ts";

const { values } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    from: { type: "string", default: "1" },
    to: { type: "string", default: `${MUTANTS.length}` },
    jobs: { type: "string", default: "1" },
    json: { type: "boolean", default: false },
  },
});
/** A mutant may make a test wait for ever. */
const MOST_SECONDS = 600;

interface Outcome extends Mutant {
  number: number;
  /** The first test that failed; undefined if none did. */
  noticedBy?: string;
  seconds: number;
}

const chosen = MUTANTS.map((mutant, i) => ({ ...mutant, number: i + 1 })).filter(({ number, file, fault }) =>
  number >= Number(values.from) && number <= Number(values.to) && `${file} ${fault}`.includes(values.only)
);
const queue = [...chosen];
const outcomes: Outcome[] = [];
await Promise.all(Array.from({ length: Number(values.jobs) }, work));
outcomes.sort((a, b) => a.number - b.number);
const lived = outcomes.filter(({ noticedBy }) => noticedBy === undefined);
if (values.json) console.log(JSON.stringify(outcomes));
else {
  console.log(table(
    outcomes.map(({ number, file, fault, noticedBy }) => [number, file, fault, noticedBy ?? "LIVES"]),
    { header: ["", "file", "fault", "noticed by"], align: ["right", "left", "left", "left"] },
  ));
  console.log(`${outcomes.length - lived.length} of ${outcomes.length} noticed`);
}
Deno.exit(lived.length * 20 > outcomes.length ? 1 : 0);

/** Tries mutants of the queue in a copy of its own. */
async function work(): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "softcot-mutants-" });
  try {
    await run("sh", [
      "-c",
      `git -C "$1" ls-files -z | (cd "$1" && xargs -0 cp --parents -t "$2")`,
      "sh",
      root,
      folder,
    ]);
    for (let mutant = queue.shift(); mutant; mutant = queue.shift()) {
      const outcome = await tryOne(folder, mutant);
      outcomes.push(outcome);
      console.error(
        `${outcome.number} ${outcome.fault}: ${outcome.noticedBy ?? "LIVES"}, ${
          outcome.seconds.toFixed(0)
        } s`,
      );
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function tryOne(folder: string, mutant: Mutant & { number: number }): Promise<Outcome> {
  const path = `${folder}/${mutant.file}`;
  const whole = await Deno.readTextFile(path);
  await Deno.writeTextFile(path, whole.replace(mutant.from, () => mutant.to));
  const started = performance.now();
  const tests = mutant.tests.map((name) => `tests/${name}`);
  const { code, text } = await run(
    Deno.execPath(),
    ["test", "-A", "--no-check", "--fail-fast", ...tests],
    { cwd: folder, signal: AbortSignal.timeout(1000 * MOST_SECONDS) },
  );
  await Deno.writeTextFile(path, whole);
  const failed = /^(.+) \.\.\..*FAILED/m.exec(text)?.[1] ?? /^error: .*/m.exec(text)?.[0];
  const noticedBy = code === 0 ? undefined : failed ?? "it never ended";
  return { ...mutant, noticedBy, seconds: (performance.now() - started) / 1000 };
}

async function run(
  program: string,
  args: string[],
  options: Deno.CommandOptions = {},
): Promise<{ code: number; text: string }> {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args,
    env: { NO_COLOR: "1" },
    stdin: "null",
    ...options,
  }).output();
  const decoder = new TextDecoder();
  return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
}
