import { assert, assertEquals } from "@std/assert";
import type { Overview, Place } from "../../../web/data/view_data.ts";
import { groupPlaces } from "../../../web/runs/grouping.ts";
import { atTask, mostMeansOf, mostOf } from "../../../web/runs/most_of.ts";
import { matches } from "../../../web/runs/matches.ts";
import { rowsOf } from "../../../web/settings/setting_rows.ts";

function place(id: string, settings: Record<string, unknown>, more: Partial<Place> = {}): Place {
  return {
    ...{ id, kind: "run", name: id.split("/").at(-1)!, sweep: null, line: null, settings, state: "ended" },
    ...{ failure: null, steps: 10, ofSteps: 10, updated: 0, last: {}, best: null, rollouts: 0, indexed: 1 },
    has: { mixtures: false, tests: false, profile: false, claims: false },
    ...more,
  };
}

const soft = [2, 0, 1].map((seed) =>
  place(`runs/soft-${seed}`, { thinking: "soft", seed, lr: 1e-4, out: `runs/soft-${seed}` })
);
const hard = place("runs/hard", { thinking: "hard", seed: 0, lr: 1e-4, out: "runs/hard" });
const overview = (places: Place[]): Overview => ({ version: 1, places, notes: [] });

Deno.test("runs are grouped by what differs between them but seed and folder, seeds in their order", () => {
  const [group] = groupPlaces(overview([...soft, hard]), () => true);
  assertEquals(group.differing, ["thinking"]);
  assertEquals(group.lines.map(({ name, places }) => [name, places.map(({ settings }) => settings.seed)]), [
    ["soft", [0, 1, 2]],
    ["hard", [0]],
  ]);
});

Deno.test("a sweep's runs stand under it by its own lines, others by themselves at the end", () => {
  const sweep = place("claims", {}, { kind: "sweep" });
  const within = place("claims/runs/a", { seed: 1 }, { sweep: "claims", line: "a line" });
  const groups = groupPlaces(overview([hard, sweep, within]), () => true);
  assertEquals(groups.map(({ id, lines }) => [id, lines.map(({ name }) => name)]), [["claims", ["a line"]], [
    "",
    ["hard"],
  ]]);
  assertEquals(
    groupPlaces(overview([hard, sweep, within]), ({ id }) => id === "runs/hard").map(({ id }) => id),
    [""],
  );
});

Deno.test("what two runs differ in is not hidden by a filter that leaves one of them", () => {
  const [group] = groupPlaces(overview([...soft, hard]), ({ id }) => id === "runs/hard");
  assertEquals(group.differing, ["thinking"]);
});

Deno.test("a filter finds words anywhere, and settings by their values", () => {
  assert(matches(soft[0], "SOFT"));
  assert(!matches(soft[0], "hard"));
  assert(matches(soft[0], "seed=2 lr=0.0001 thinking=soft"));
  assert(!matches(soft[0], "seed=20"));
  assert(!matches(place("a", { seed: 20 }), "seed=2"));
  assert(matches(hard, ""));
});

Deno.test("settings that differ come first, and what is not usual is known", () => {
  const rows = rowsOf([{ settings: { a: 1, b: "x" } }, { settings: { a: 1, b: "y" } }, {
    settings: { a: 1, b: "y", c: [1, 2] },
  }]);
  assertEquals(rows.map(({ name, differs, usual }) => [name, differs, usual]), [["b", true, "y"], [
    "c",
    true,
    null,
  ], ["a", false, "1"]]);
  assertEquals(rows[1].values, [null, null, "1, 2"]);
  assertEquals(rowsOf([{ settings: { seed: 1 } }, { settings: { seed: 2 } }])[0].usual, undefined);
  assertEquals(rowsOf([soft[0], soft[1]]).map(({ name, differs }) => differs ? name : ""), [
    "seed",
    "",
    "",
    "",
  ]);
});

Deno.test("the best run and the best line are marked, among those of one task that differ", () => {
  const run = (thinking: string, seed: number, reward: number, task = "sums") =>
    place(`${task}-${thinking}-${seed}`, { thinking, seed, task }, { last: { reward, accuracy: 0.5 } });
  const lucky = [run("soft", 0, 99), run("soft", 1, 1)];
  const steady = [run("hard", 0, 60), run("hard", 1, 62)];
  const alone = run("fuzzy", 0, 80);
  const other = [run("soft", 0, 5, "slips"), run("soft", 1, 7, "slips")];
  const [group] = groupPlaces(overview([...lucky, ...steady, alone, ...other]), () => true);
  const [most, means] = [mostOf(group), mostMeansOf(group)];
  assertEquals([most.get(atTask("reward", alone)), most.get(atTask("reward", other[0]))], [99, 7]);
  assertEquals([...means], [[atTask("reward", alone), 61]], "one line alone, or alike, is no best");
});
