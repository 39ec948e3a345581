/** What a run keeps beside its checkpoints, damaged: told in words when it is to go on. */
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { keepHeldOut } from "../../../cli/train/keep_held_out.ts";
import { keepShape } from "../../../cli/train/keep_shape.ts";
import { refuseCut } from "../../../cli/settings/refuse_cut.ts";
import type { Task } from "../../../eval/task.ts";
import { UserError } from "../../../gpu/errors.ts";
import { SMALL } from "../../model/support/small_models.ts";
import { inFolder } from "../../support/folders.ts";

/** What lies in a file's place: a text, or a folder. */
const ODD: [text: string | undefined, told: string][] = [
  ["{", "JSON"],
  ["", "JSON"],
  ["[1]", "it "],
  ["null", "it "],
  [undefined, "it is a folder, a file is needed"],
];

/** Runs `use` with each of them there. */
function withEach(path: string, use: () => void): void {
  for (const [text, told] of ODD) {
    if (text === undefined) Deno.mkdirSync(path);
    else Deno.writeTextFileSync(path, text);
    const { message, hint } = assertThrows(use, UserError, "Cannot ");
    assertStringIncludes(message, told);
    assertStringIncludes(hint!, "put it back");
    Deno.removeSync(path);
  }
}

Deno.test("a shape that cannot be read is told; without one the checkpoint's counts", () =>
  inFolder((folder) => {
    withEach(`${folder}/shape.json`, () => keepShape(folder, SMALL));
    keepShape(folder, SMALL);
    keepShape(folder, SMALL);
    assertThrows(() => keepShape(folder, { ...SMALL, layers: 7 }), UserError, "layers is 7, the run's is 2");
  }));

Deno.test("ids of validation questions that cannot be read are told, and not made anew", () =>
  inFolder((folder) => {
    const task = { name: "own", version: 1, heldOut: ["a", "b"] } as unknown as Task;
    withEach(`${folder}/validation.json`, () => keepHeldOut(folder, task));
    keepHeldOut(folder, task);
    assertEquals(JSON.parse(Deno.readTextFileSync(`${folder}/validation.json`)).ids, ["a", "b"]);
  }));

Deno.test("settings that are cut are no run of defaults", () => {
  refuseCut("run", { name: "run/config.toml", values: { steps: 3, out: "elsewhere" } });
  assertThrows(
    () => refuseCut("run", { name: "run/config.toml", values: { steps: 3 } }),
    UserError,
    "run/config.toml is cut, it lacks out",
  );
});
