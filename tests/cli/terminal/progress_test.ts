import { root } from "../../support/places.ts";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { unicodeWidth } from "@std/cli";
import { stripVTControlCharacters } from "node:util";
import fc from "fast-check";
import { createProgress, type ProgressOptions } from "../../../cli/terminal/progress.ts";
import { duration } from "../../../cli/terminal/duration.ts";
import { sparkline } from "../../../cli/terminal/sparkline.ts";
import { table } from "../../../cli/terminal/table.ts";

/** A progress whose clock and terminal are in the test's hands. */
function watch(columns: number, options: Partial<ProgressOptions> = {}) {
  const seen = { output: "", columns, time: 0 };
  const progress = createProgress({
    label: "train",
    total: 100,
    stream: { write: (text) => seen.output += text, columns: () => seen.columns, now: () => seen.time },
    ...options,
  });
  return { seen, progress };
}

Deno.test("in a pipe a line is written at first, then at most every ten seconds, then at the end", () => {
  const { seen, progress } = watch(0);
  for (let step = 1; step <= 100; step++) {
    seen.time = step * 400;
    progress.update(step, { reward: step / 100, mode: "soft" });
  }
  progress.done();
  assertEquals(seen.output.split("\n"), [
    "train   1/100  reward 0.01000  mode soft  2.50 steps/s  40s left",
    "train  26/100  reward 0.2600  mode soft  2.50 steps/s  30s left",
    "train  51/100  reward 0.5100  mode soft  2.50 steps/s  20s left",
    "train  76/100  reward 0.7600  mode soft  2.50 steps/s  10s left",
    "train 100/100  reward 1  mode soft  2.50 steps/s  40s",
    "",
  ]);
  assert(!seen.output.includes("\x1b"));
});

Deno.test("a field's course is drawn at the end of a terminal's line, and never in a pipe", () => {
  const rewards = Array.from({ length: 100 }, (_, i) => i < 50 ? 10 : 60);
  const [wide, narrow, pipe] = [120, 60, 0].map((columns) => {
    const { seen, progress } = watch(columns, { curve: "reward" });
    rewards.forEach((reward, i) => {
      seen.time = i * 400;
      progress.update(i + 1, { reward: reward.toFixed(1) });
    });
    progress.done();
    return stripVTControlCharacters(seen.output).split("\r").at(-1)!.trimEnd();
  });
  assertEquals(wide, `train 100/100  reward 60.0  2.50 steps/s  40s  ${"▁".repeat(12)}${"█".repeat(12)}`);
  assertEquals(narrow, wide.slice(0, 59), "what has no room is left out from the end");
  assert(!/[▁-█]/.test(pipe), pipe);
  assertEquals([sparkline([], 5), sparkline([3, 3], 5), sparkline([1, 2, 3, 4], 2)], ["", "▄▄", "▁█"]);
});

Deno.test("within a step a pipe is told once a minute what is done, beside the last state", () => {
  const { seen, progress } = watch(0);
  let asked = 0;
  const within = (second: number, what: string) => {
    seen.time = 1000 * second;
    progress.within(() => `${what} ${++asked}`);
  };
  for (const second of [1, 59, 60, 61, 119, 120]) within(second, "rollouts");
  seen.time = 130_000;
  progress.update(1, { reward: "26.0" });
  for (const second of [150, 189, 190]) within(second, "micro-batches");
  seen.time = 195_000;
  progress.update(2, { reward: "27.0" });
  progress.done();
  assertEquals(seen.output.split("\n"), [
    "train   0/100  now rollouts 1",
    "train   0/100  now rollouts 2",
    "train   1/100  reward 26.0  2m 10s/step  3h 34m left",
    "train   1/100  now micro-batches 3  reward 26.0  2m 10s/step  3h 34m left",
    "train   2/100  reward 27.0  65.0 s/step  1h 46m left",
    "",
  ]);
  assertEquals(asked, 3, "what is not shown is not made");
});

Deno.test("within a step a terminal's line is rewritten at once, then as often as always", () => {
  const { seen, progress } = watch(80);
  for (let ms = 0; ms < 1000; ms += 10) {
    seen.time = ms;
    progress.within(() => `rollouts ${ms}`);
  }
  progress.update(1);
  progress.done();
  const frames = seen.output.split("\r").slice(1).map((frame) => stripVTControlCharacters(frame).trimEnd());
  assertEquals(frames, [
    ...Array.from({ length: 10 }, (_, i) => `train   0/100  now rollouts ${100 * i}`),
    "train   1/100  1.01 steps/s  1m 38s left",
  ]);
});

Deno.test("the last state is told even if it came between two lines", () => {
  const { seen, progress } = watch(0, { total: undefined });
  progress.update(1);
  seen.time = 3000;
  progress.update(2);
  progress[Symbol.dispose]();
  progress.done();
  assertEquals(seen.output.split("\n"), ["train 1", "train 2  3.00 s/step", ""]);
});

Deno.test("on a terminal one line is rewritten, no wider than the terminal, not too often", () => {
  const { seen, progress } = watch(30);
  for (let step = 1; step <= 50; step++) {
    seen.time += 20;
    progress.update(step, { task: "日本語日本語日本語" });
  }
  progress.done();
  const frames = seen.output.split("\r").slice(1).map((frame) => stripVTControlCharacters(frame).trimEnd());
  assert(frames.length >= 9 && frames.length <= 12, `${frames.length} frames`);
  for (const frame of frames) assert(unicodeWidth(frame) <= 29, frame);
  assertMatch(seen.output, /\n$/);
  assertEquals(seen.output.match(/\n/g)?.length, 1);
});

Deno.test("a terminal that becomes one column wide, or none, breaks nothing", () => {
  const { seen, progress } = watch(80);
  for (const columns of [1, 0, 2, 80]) {
    seen.columns = columns;
    seen.time += 20_000;
    progress.update(seen.time / 1000);
  }
  progress.done();
  assertMatch(seen.output, /train +80\/100/);
});

Deno.test("a line logged on a terminal stands above the live one", () => {
  const { seen, progress } = watch(80);
  progress.log("before");
  progress.update(1);
  progress.log("checkpoint saved");
  progress.done();
  assertEquals(seen.output, "before\n\rtrain   1/100\x1b[K\r\x1b[Kcheckpoint saved\n\rtrain   1/100\x1b[K\n");
});

Deno.test("the rate of a resumed run counts its own steps alone", () => {
  const { seen, progress } = watch(0, { start: 50 });
  seen.time = 10_000;
  progress.update(55);
  assertEquals(seen.output, "train  55/100  2.00 s/step  1m 30s left\n");
});

Deno.test("the rate is that of the latest steps: a slow start does not spoil it", () => {
  const { seen, progress } = watch(0, { interval: 0 });
  for (let step = 1; step <= 4; step++) {
    seen.time += step === 1 ? 60_000 : 2000;
    progress.update(step);
  }
  assertEquals(seen.output.split("\n")[0], "train   1/100  60.0 s/step  1h 39m left");
  assertEquals(seen.output.split("\n")[3], "train   4/100  2.00 s/step  3m 12s left");
});

Deno.test("the rate is taken over the latest updates, not over the last alone", () => {
  const { seen, progress } = watch(0, { interval: 0 });
  for (let step = 1; step <= 12; step++) {
    seen.time += step % 2 === 0 ? 1000 : 3000;
    progress.update(step);
  }
  assertEquals(seen.output.split("\n")[11], "train  12/100  1.91 s/step  2m 48s left");
});

Deno.test("where steps differ in length, rate and time left are those of the work", () => {
  const { seen, progress } = watch(0, { interval: 0, total: 4, counted: "rollouts", unit: "tokens" });
  const lines: [number, number, number, boolean?][] = [[0, 0, 2000, true], [0, 600, 1400, true], [
    0,
    1200,
    800,
    true,
  ], [
    2,
    1800,
    200,
  ]];
  for (const [step, done, left, atMost] of lines) {
    seen.time += 10_000;
    progress.update(step, { mode: "hard" }, { done, left, atMost });
  }
  seen.time += 4000;
  progress.update(4, {}, { done: 2040, left: 0 });
  assertEquals(seen.output.split("\n"), [
    "train 0/4 rollouts  mode hard",
    "train 0/4 rollouts  mode hard  60.0 tokens/s  at most 13s left",
    "train 2/4 rollouts  mode hard  60.0 tokens/s  3s left",
    "train 4/4 rollouts  60.0 tokens/s  44s",
    "",
  ]);
});

Deno.test("rates have units that can be read", () => {
  const rateOf = (steps: number, seconds: number) => {
    const { seen, progress } = watch(0, { total: undefined });
    seen.time = seconds * 1000;
    progress.update(steps);
    return seen.output.trimEnd().split("  ")[1];
  };
  assertEquals(rateOf(51_900, 1), "51.9k steps/s");
  assertEquals(rateOf(999.9, 1), "1.00k steps/s");
  assertEquals(rateOf(2_500_000, 1), "2.50M steps/s");
  assertEquals(rateOf(250, 1), "250 steps/s");
  assertEquals(rateOf(1, 99), "99.0 s/step");
  assertEquals(rateOf(1, 677), "11m 17s/step");
});

Deno.test("what is done before the delay is over is not told at all", () => {
  const quick = watch(0, { delay: 1500 });
  quick.progress.show("loading");
  quick.seen.time = 1400;
  quick.progress.done();
  assertEquals(quick.seen.output, "");
  const slow = watch(0, { delay: 1500 });
  slow.progress.show("loading");
  slow.seen.time = 1600;
  slow.progress.show("loading: 40%");
  slow.progress.done();
  assertEquals(slow.seen.output, "loading: 40%\n");
});

Deno.test("quiet says nothing", () => {
  const { seen, progress } = watch(80, { quiet: true });
  progress.update(1);
  progress.log("x");
  progress.done();
  assertEquals(seen.output, "");
});

Deno.test("durations read well", () => {
  const cases: [number, string][] = [[0.4, "0s"], [59.6, "1m 00s"], [185, "3m 05s"], [7620, "2h 07m"], [
    273_600,
    "3d 04h",
  ]];
  for (const [seconds, text] of cases) assertEquals(duration(seconds), text);
});

Deno.test("a table's columns line up, numbers to the right", () => {
  const rows = [["gsm8k", 75.9, "a"], ["数学", 4, undefined], ["x", "-", "bc"]];
  assertEquals(table(rows, { header: ["task", "greedy", "note"] }).split("\n"), [
    "task   greedy  note",
    "-----  ------  ----",
    "gsm8k    75.9  a",
    "数学        4",
    "x           -  bc",
  ]);
  assertEquals(table([["a", "1"]], { align: ["right", "left"], gap: 1 }), "a 1");
  assertEquals(table([]), "");
});

Deno.test("all lines of a table with a last column to the right are equally wide", () => {
  const cell = fc.string({ unit: "grapheme", minLength: 1, maxLength: 8 }).map((text) =>
    text.replace(/[\p{C}\s]/gu, "x")
  );
  fc.assert(fc.property(fc.array(fc.tuple(cell, cell), { minLength: 1 }), (rows) => {
    const widths = table(rows, { align: ["left", "right"] }).split("\n").map(unicodeWidth);
    assertEquals(new Set(widths).size, 1);
  }));
});

Deno.test("a pipe is no terminal, whatever stdout is, and has no columns to write over", async () => {
  const program =
    `import { stderr } from "./cli/terminal/progress_stream.ts"; console.log(stderr.columns());`;
  const columns = async (redirected: string) => {
    const line = `stty cols 70; '${Deno.execPath()}' eval --ext=ts '${program}' ${redirected}`;
    const { stdout } = await new Deno.Command("script", {
      args: ["-qc", line, "/dev/null"],
      ...{ cwd: root, env: { TERM: "xterm", NO_COLOR: "1" }, stdin: "null", stdout: "piped", stderr: "null" },
    }).output();
    return new TextDecoder().decode(stdout).trim();
  };
  assertEquals([await columns("2>/dev/null"), await columns("2>&1 | cat"), await columns("")], [
    "0",
    "0",
    "70",
  ]);
});
