import { assertEquals, assertThrows } from "@std/assert";
import { toToml } from "../../../cli/settings/config_file.ts";
import { resolveWithOrigins } from "../../../cli/settings/resolve_config.ts";
import { resumedValues } from "../../../cli/train/resumed_values.ts";
import { trainSettings } from "../../../cli/train/train_settings.ts";
import { UserError } from "../../../gpu/errors.ts";
import { inFolder } from "../../support/folders.ts";

Deno.test("a run that goes on has its own settings: flags may agree, or ask for more updates, and for nothing else", () =>
  inFolder((out) => {
    const begun = resolveWithOrigins(trainSettings, { flags: { out, steps: 10, lr: 0.01 } }).values;
    Deno.writeTextFileSync(`${out}/config.toml`, toToml(begun));
    const resumed = (flags: Record<string, unknown>) => {
      const { values, origins } = resolveWithOrigins(trainSettings, { flags: { out, ...flags } });
      return resumedValues(values, origins);
    };
    assertEquals(resumed({}), begun);
    assertEquals(resumed({ lr: 0.01, group: begun.group, steps: 10 }), begun);
    assertEquals(resumed({ steps: 12 }), { ...begun, steps: 12 });
    const changes = { thinking: "hard", seed: 5, group: 3, clipStep: 2, lr: 1, steps: 9, model: "other" };
    for (const [flag, value] of Object.entries(changes)) {
      assertThrows(() => resumed({ [flag]: value }), UserError, `Cannot resume ${out} with --`);
    }
  }));
