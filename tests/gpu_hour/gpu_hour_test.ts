import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { testFolder } from "../support/folders.ts";
import { isAlive } from "../support/is_alive.ts";
import { root } from "../support/places.ts";
import { addExpectations } from "./add_expectations.ts";
import type { Part, PartResult } from "./part.ts";
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

Deno.test("every part of the first hour runs on the software device, and ends in a table and one line of JSON", async () => {
  const file = `${await testFolder()}/hour.json`;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "tests/gpu_hour.ts", "--tiny", "--minutes", "60", "--out", file],
    cwd: root,
    env: { NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder().decode(stdout);
  assertEquals(code, 0, text + new TextDecoder().decode(stderr));
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
});
