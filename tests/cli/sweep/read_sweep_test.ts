/** A sweep's file: its grid, and every mistake in it told before anything runs. */
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { parseSettings } from "../../../cli/settings/config_file.ts";
import { planSweep, readSweep } from "../../../cli/sweep/read_sweep.ts";
import { root } from "../../support/places.ts";
import { openSweep } from "../../../cli/sweep/sweep_folder.ts";
import { inFolder } from "../../support/folders.ts";
import { UserError } from "../../../gpu/errors.ts";

const plan = (text: string) => planSweep(parseSettings(text, "x.toml"), "sweeps/x");

Deno.test("a grid crosses its axes; seeds change slowest, named tables set several values at once", () => {
  const { runs } = plan(`
fixed = { steps = 4, task = "sums" }
[grid]
seed = [3, 4]
lr = [1e-4, 3e-4]
[[grid.way]]
name = "hard"
thinking = "hard"
[[grid.way]]
name = "top 5"
thinking = "fuzzy"
noise-on = "top-logits"
`);
  assertEquals(runs.map(({ name }) => name), [
    "lr-1e-4-hard-seed-3",
    "lr-1e-4-top_5-seed-3",
    "lr-3e-4-hard-seed-3",
    "lr-3e-4-top_5-seed-3",
    "lr-1e-4-hard-seed-4",
    "lr-1e-4-top_5-seed-4",
    "lr-3e-4-hard-seed-4",
    "lr-3e-4-top_5-seed-4",
  ]);
  assertEquals(runs[3].line, "lr-3e-4-top_5");
  assertEquals(runs[3].settings, {
    ...{ steps: 4, task: "sums", lr: 3e-4, thinking: "fuzzy", "noise-on": "top-logits", seed: 3 },
  });
  assertEquals(plan("").runs.map(({ name }) => name), ["run"]);
  assertEquals(plan("[grid]\nthinking = ['hard', 'soft']").runs.map(({ name }) => name), ["hard", "soft"]);
});

Deno.test("recipes count: an evaluation on the way needs a checkpoint there, and all checkpoints are kept for it", () => {
  const at = (steps: string) => plan(`[[evaluate]]\nat = ${steps}`); // the recipe of sums: 100 updates, saved every 40
  assertEquals(at("[40, 'end']").runs[0].settings.keep, 100);
  assertEquals(at("['end']").runs[0].settings.keep, undefined);
  assertThrows(() => at("[50]"), UserError, "after 50 updates, where run run has no checkpoint");
  assertThrows(() => at("[120]"), UserError, "it makes 100 and saves every 40");
});

Deno.test("a base model of the sweep's own is what runs start from, unless they name another", () => {
  assertEquals(plan("[base]\nsteps = 3").runs[0].settings.model, "sweeps/x/base");
  assertEquals(plan("[base]\nsteps = 3\n[fixed]\nmodel = 'm'").runs[0].settings.model, "m");
});

Deno.test("a sweep's folder may be moved; with another plan, or beside another sweep, it is refused", () =>
  inFolder((folder) => {
    const open = (name: string, text: string) =>
      openSweep(`${folder}/${name}`, planSweep(parseSettings(text, "x.toml"), `${folder}/${name}`));
    const text = "[base]\nsteps = 3\n[grid]\nseed = [1]";
    const first = open("a", text);
    assertThrows(() => open("a", text), UserError, "another sweep is at work there");
    first[Symbol.dispose]();
    Deno.renameSync(`${folder}/a`, `${folder}/b`);
    open("b", text)[Symbol.dispose]();
    assertThrows(() => open("b", text.replace("3", "4")), UserError, "it was begun with another base");
    assertThrows(() => open("b", text.replace("1]", "2]")), UserError, "it was begun with a run run-seed-1");
    open("b", text.replace("1]", "1, 2]"))[Symbol.dispose]();
    assertThrows(() => open(".", text), UserError, "it holds other things (b)");
    const models = (names: string) => `[grid]\nmodel = [${names}]\n[[evaluate]]\nat = [0]`;
    open("c", models("'x', 'y'"))[Symbol.dispose]();
    assertThrows(
      () => open("c", models("'z', 'x', 'y'")),
      UserError,
      "z stands before x now, of which untrained/ is",
    );
    open("c", models("'x', 'y', 'z'"))[Symbol.dispose]();
  }));

Deno.test("the sweeps of docs/ are plans, and short_sums asks different questions in each stream", async () => {
  const planned = (name: string) => readSweep(`${root}docs/sweeps/${name}.toml`, "x");
  assertEquals(planned("rates").runs.length, 36);
  assertEquals(planned("smollm2").runs.map(({ name }) => name), ["hard", "soft", "multiplex"]);
  assertEquals(planned("smollm2-trials").runs.length, 12);
  const { default: task } = await import("../../../docs/sweeps/short_sums.ts");
  const { train, validation, test } = task.questions;
  assertEquals([train.length, validation.length, test.length], [2048, 128, 256]);
  const asked = new Set([...train, ...validation, ...test].map(({ question }) => question));
  assertEquals(asked.size, 2048 + 128 + 256);
});

for (
  const [text, message, hint] of [
    ["steps = 3", "there is no place for steps", "settings of training stand in [fixed]"],
    ["[fixed]\nstep = 3", "there is no setting step", "did you mean steps?"],
    ["[fixed]\nout = 'x'", "it sets out, which the sweep sets itself"],
    [
      "[fixed]\nallow-own = ['net']",
      "it sets allow-own, which the command line alone may say",
      "with --allow-own",
    ],
    ["[grid]\nallow_own = [['net']]", "it sets allow_own", "with --allow-own"],
    ["[[evaluate]]\nallowOwn = ['net']", "[[evaluate]]: it sets allowOwn", "with --allow-own"],
    ["[[evaluate]]\nreward-timeout = 3", "[[evaluate]]: it sets reward-timeout", "with --reward-timeout"],
    ["[grid]\nlr = ['a']", 'lr is "a", a number of at least 0 is needed'],
    ["[grid]\nseed = 3", "seed of [grid] is 3, a list of values or of named tables is needed"],
    ["[grid]\nseed = []", "seed of [grid] is empty"],
    ["[[grid.way]]\nthinking = 'hard'", "way of [grid] has a table without a name"],
    ["[grid]\nseed = [1, 1]", "two points of the grid are called run-seed-1"],
    ["[[grid.way]]\nname = 'untrained'\n[grid]\nseed = [1]", "a line is called untrained"],
    ["[[grid.way]]\nname = 'Untrained-2'", "a line is called Untrained-2"],
    ["[[grid.way]]\nname = 'base'", "a run is called base, which is the name of a model"],
    ["[base]\nout = 'x'", "[base]: it sets out"],
    ["[base]\nwidht = 8", "there is no setting widht", "did you mean width?"],
    ["[[evaluate]]\nmodel = 'x'", "it sets model"],
    ["[[evaluate]]\ntasks = []", "tasks is [], a list of tasks is needed"],
    ["[[evaluate]]\nat = ['start']", 'at is ["start"], numbers of updates are needed'],
    ["[[evaluate]]\nsamples = 0", "samples is 0"],
    ["[evaluate]\nsamples = 2", "evaluate is one table", "write [[evaluate]]"],
    ["fixed = 3", "[fixed]: it is 3, a table is needed"],
  ]
) {
  Deno.test(`refused: ${text.replaceAll("\n", "; ")}`, () => {
    const error = assertThrows(() => plan(text), UserError);
    assertStringIncludes(error.message, message);
    if (hint) assertStringIncludes(error.hint!, hint);
  });
}
