import { assertEquals } from "@std/assert";
import { defaultGamma } from "../../../cli/defaults/default_gamma.ts";
import { inFolder } from "../../support/folders.ts";

Deno.test("noise is the run's where the model is one, else the recipe's", () =>
  inFolder((run) => {
    Deno.mkdirSync(`${run}/checkpoints`);
    const settings = (toml: string) => Deno.writeTextFileSync(`${run}/config.toml`, toml);
    settings('task = "sums"\ngamma = 0.7\n');
    assertEquals(defaultGamma(run, "sums"), 0.7);
    assertEquals(defaultGamma("builtin", "sums"), 0.5, "of the recipe");
    settings('task = "sums"\n');
    assertEquals(defaultGamma(run, "sums"), 0.5, "the run says nothing");
    assertEquals(defaultGamma("builtin", "aime"), undefined);
  }));
