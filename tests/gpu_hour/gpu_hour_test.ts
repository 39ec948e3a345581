import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { testFolder } from "../support/folders.ts";
import { isAlive } from "../support/is_alive.ts";
import { root } from "../support/places.ts";
import { addExpectations } from "./add_expectations.ts";
import { keptReport } from "./kept_report.ts";
import { adapterIn, type Part, type PartResult } from "./part.ts";
import { PARTS } from "./parts.ts";
import { runPart } from "./run_part.ts";

const HOUR = { tiny: false, scratch: "/nowhere" };
const shell = (name: string, script: string, seconds = 20): Part => ({
  name,
  seconds,
  command: () => ["sh", "-c", script],
  read: (stdout) => JSON.parse(stdout).figures,
});
const FIGURE = `echo '{"figures": [{"what": "a", "value": 1, "unit": "s"}]}'`;

/** Runs the hour itself. */
async function runHour(args: string[], env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "tests/gpu_hour.ts", ...args],
    cwd: root,
    env: { NO_COLOR: "1", ...env },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

Deno.test("every part of the first hour runs on the software device, and ends in a table and one line of JSON", async () => {
  const file = `${await testFolder()}/hour.json`;
  const { code, stdout: text, stderr } = await runHour(["--tiny", "--minutes", "60", "--out", file]);
  assertEquals(code, 0, text + stderr);
  const report = JSON.parse(text.trimEnd().split("\n").at(-1)!);
  assertEquals(report, JSON.parse(await Deno.readTextFile(file)));
  assertEquals(report.parts.map(({ name }: PartResult) => name), PARTS.map(({ name }) => name));
  for (const { name, state, figures } of report.parts as PartResult[]) {
    assertEquals(state, "ok", name);
    assert(figures.length > 0, name);
    for (const { what, value } of figures) {
      assert(Number.isFinite(value), `${name}: ${what} is ${value}`);
      assertStringIncludes(text, what);
    }
  }
  assertStringIncludes(text, report.adapter);
});

Deno.test("a part that hangs is killed, and what it had said counts", async () => {
  const result = await runPart(shell("hangs", `${FIGURE}; exec sleep 100`, 1), HOUR, 60);
  assertEquals([result.state, result.figures.length], ["out of time", 1]);
  assert(result.seconds < 20);
});

Deno.test("what a part has started ends with it, and does not hold the others", async () => {
  // As a training does: a process below it that goes on for long, and holds its pipes.
  const below = `sleep 100 & echo '{"figures": [{"what": "pid", "value": '$!', "unit": ""}]}'`;
  const late = await runPart(shell("below", `${below}; wait`, 2), HOUR, 60);
  const left = await runPart(shell("left behind", `${below}; exit 0`), HOUR, 60);
  const stopped = await runPart(shell("stopped", `${below}; wait`), {
    ...HOUR,
    stop: AbortSignal.timeout(1500),
  }, 60);
  assertEquals([late, left, stopped].map(({ state }) => state), ["out of time", "ok", "out of time"]);
  for (const { seconds, figures } of [late, left, stopped]) {
    assert(seconds < 20);
    assert(!isAlive(figures[0].value), "it goes on");
  }
});

Deno.test("a part that fails says its status and last words", async () => {
  const { state, reason } = await runPart(shell("fails", `${FIGURE}; echo no device >&2; exit 7`), HOUR, 60);
  assertEquals([state, reason], ["failed", "status 7: no device"]);
});

Deno.test("a part whose program throws says its error, not the stack; one that cannot be started says so", async () => {
  const stack =
    `echo 'error: Uncaught (in promise) Error: no such card' >&2; echo '    at file:///a.ts:1:2' >&2; exit 1`;
  const thrown = await runPart(shell("throws", stack), HOUR, 60);
  assertEquals([thrown.reason, thrown.words?.split("\n").length], ["status 1: Error: no such card", 2]);
  const none = await runPart({ ...shell("none", ""), command: () => ["/nowhere/none"] }, HOUR, 60);
  assertEquals(none.state, "failed");
  assertStringIncludes(none.reason!, "it cannot be started: ");
});

Deno.test("a device that is not there is told in the table, and the hour ends in it; the adapter is told by any part", async () => {
  const env = { SOFTCOT_GPU: "99" };
  const { code, stdout, stderr } = await runHour(["--tiny", "--parts", "device,rates"], env);
  assertEquals(code, 1, stderr);
  const { adapter, parts } = JSON.parse(stdout.trimEnd().split("\n").at(-1)!);
  assertEquals(adapter, "unknown");
  for (const { reason } of parts) {
    assertStringIncludes(reason, "status 1: Cannot use the device 99: there is none");
  }
  assertEquals(adapterIn('{"adapter":{"name":"NVIDIA H200"},"figures":[]}\n'), "NVIDIA H200");
  assertEquals(adapterIn('{\n  "device": {\n    "name": "a card" } }\n'), "a card");
  assertEquals(adapterIn("ok 1 - a test\n"), undefined);
});

Deno.test("wrong usage ends in words, with status 2; a file that cannot be written is told before anything is measured", async () => {
  const wrong = [["--bogus"], ["--parts", "nope"], ["--minutes", "-5"], ["--minutes=abc"], ["--out", ""], [
    "word",
  ]];
  for (const args of wrong) {
    const { code, stdout, stderr } = await runHour(["--tiny", ...args]);
    assertEquals([code, stdout], [2, ""], stderr);
    assertMatch(stderr, /^error: .*\n(hint: .*\n)?$/);
  }
  for (const out of ["/nonexistent/x.json", await testFolder()]) {
    const { code, stdout, stderr } = await runHour(["--tiny", "--out", out]);
    assertEquals([code, stdout], [1, ""], stderr);
    assertStringIncludes(stderr, `error: Cannot write to ${out}: `);
  }
});

Deno.test("a file that can no longer be written costs nothing of what is found", async () => {
  const folder = `${await testFolder()}/taken away`;
  Deno.mkdirSync(folder);
  const kept = keptReport(`${folder}/hour.json`);
  kept.keep({ parts: [] });
  assertEquals([kept.isWhole(), [...Deno.readDirSync(folder)].length], [true, 1]);
  Deno.removeSync(folder, { recursive: true });
  kept.keep({ parts: [] });
  assertEquals(kept.isWhole(), false);
});

Deno.test("a part with nothing to tell, with a number that is none, or with a fault of its own has failed", async () => {
  const nothing = await runPart(shell("silent", "echo '{\"figures\": []}'"), HOUR, 60);
  assertEquals(nothing.reason, "it found no figures");
  const odd = await runPart(
    shell("odd", 'echo \'{"figures": [{"what": "rate", "value": null}]}\''),
    HOUR,
    60,
  );
  assertEquals(odd.reason, "rate is null");
  const wrong = await runPart({ ...shell("wrong", FIGURE), fault: () => "it computes wrongly" }, HOUR, 60);
  assertEquals([wrong.state, wrong.reason], ["failed", "it computes wrongly"]);
});

Deno.test("what is kept for all parts is no more than the eight minutes, less the table's", () => {
  assert(PARTS.reduce((sum, { seconds }) => sum + seconds, 0) <= 478);
});

Deno.test("without time left a part is left out", async () => {
  assertEquals((await runPart(shell("late", "exit 1"), HOUR, 1)).state, "left out");
});

Deno.test("figures are held against the data sheet, and against the rates of the same hour", () => {
  const part = (name: string, figures: [string, number, string][]): PartResult => ({
    ...{ name, state: "ok", seconds: 1 },
    figures: figures.map(([what, value, unit]) => ({ what, value, unit })),
  });
  const results = [
    part("rates", [["multiply-adds", 33500, "GFLOP/s"], ["copy", 2400, "GB/s"]]),
    part("llama-1b", [
      ["weights", 1000, "million"],
      ["decode at batch 1, 32 tokens", 300, "tokens/s"],
      ["prefill of 512 tokens", 3350, "tokens/s"],
    ]),
  ];
  addExpectations("NVIDIA H200", results);
  const near = (part: number, figure: number) => results[part].figures[figure].near;
  assertStringIncludes(near(0, 0)!, "67000: 50%");
  assertStringIncludes(near(0, 1)!, "4800: 50%");
  assertStringIncludes(near(1, 1)!, "25% of 1200");
  assertStringIncludes(near(1, 2)!, "20% of 16750");
  // Each speed of each part has something beside it.
  const tuned = [
    part("tune", [["nt, f32 weights", 6700, "GFLOP/s"]]),
    part("llama-1b", [["update", 2, "s"]]),
  ];
  addExpectations("NVIDIA H200", tuned);
  assertStringIncludes(tuned[0].figures[0].near!, "67000 of multiply-adds: 10%");
  assertEquals(tuned[1].figures[0].near, "no published figure");
});
