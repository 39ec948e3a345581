/** A copy of the one file that runs for weeks says so to launchers of other versions. */
import { assert } from "@std/assert";
import { touchAgain } from "../../cli/cache/keep_young.ts";
import { testFolder } from "../support/folders.ts";
import { until } from "../support/until.ts";

Deno.test({
  name: "a folder is touched again and again, and is never as old as one that is removed",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const folder = await testFolder();
    const timer = touchAgain(folder, 5);
    try {
      for (let i = 0; i < 2; i++) {
        Deno.utimeSync(folder, 0, 0);
        await until(() => Deno.statSync(folder).mtime!.getTime() > 0, "it is touched");
        assert(Date.now() - Deno.statSync(folder).mtime!.getTime() < 60_000);
      }
    } finally {
      clearInterval(timer);
    }
  },
});
