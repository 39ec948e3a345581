import { assertEquals } from "@std/assert";
import { table } from "../../../cli/terminal/table.ts";

const header = ["mode", "right", "pass@8", "entropy"];
const rows = [["hard-greedy", "0.563", "-", "0.0908"], ["日本", "0.7", "0.851", "0.2"]];

Deno.test("a table that is wider than the terminal is folded, the first column before each part", () => {
  assertEquals(
    table(rows, { header, width: 28 }),
    [
      "mode         right  pass@8",
      "-----------  -----  ------",
      "hard-greedy  0.563       -",
      "日本           0.7   0.851",
      "",
      "mode         entropy",
      "-----------  -------",
      "hard-greedy   0.0908",
      "日本             0.2",
    ].join("\n"),
  );
  // What fits to the last place is not folded; a column alone that does not fit is shown as it is.
  assertEquals(table(rows, { header, width: 35 }), table(rows, { header, width: Infinity }));
  assertEquals(table(rows, { header, width: 35 }).split("\n").length, 4);
  assertEquals(table(rows, { width: 5 }).split("\n\n").map((part) => part.split("\n")[0]), [
    "hard-greedy  0.563",
    "hard-greedy      -",
    "hard-greedy  0.0908",
  ]);
  assertEquals([table([], { width: 10 }), table([["a"]], { width: 0 })], ["", "a"]);
});
