import { assertEquals, assertThrows } from "@std/assert";
import { runNotes } from "../../../cli/defaults/run_notes.ts";
import { UserError } from "../../../gpu/errors.ts";
import { inFolder } from "../../support/folders.ts";

Deno.test("what a run sets is told; one whose settings are gone or odd is not taken for one of the defaults in silence", () =>
  inFolder((run) => {
    assertEquals(runNotes(run, {}), []);
    Deno.mkdirSync(`${run}/checkpoints`);
    const warning = [
      `warning  ${run} is a run without its settings (config.toml): what it was trained with is not known, the defaults count`,
    ];
    assertEquals(runNotes(run, {}), warning);
    Deno.writeTextFileSync(`${run}/config.toml`, "");
    assertEquals(runNotes(run, {}), warning);
    Deno.writeTextFileSync(`${run}/config.toml`, 'thinking = "soft"\ngamma = 0.7\n');
    assertEquals(runNotes(run, {}), ["run      sets gamma 0.7"]);
    Deno.removeSync(`${run}/config.toml`);
    Deno.mkdirSync(`${run}/config.toml`);
    assertThrows(() => runNotes(run, {}), UserError, "it is a folder");
  }));
