/** A copy of the one file that runs for weeks says so to launchers of other versions. */
import { assert } from "@std/assert";
import { touchAgain } from "../../cli/cache/keep_young.ts";
import { testFolder } from "../support/folders.ts";

Deno.test({
  name: "a folder is touched again and again, and is never as old as one that is removed",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const folder = await testFolder();
    const timer = touchAgain(folder, 5);
    try {
      for (let i = 0; i < 2; i++) {
        Deno.utimeSync(folder, 0, 0);
        const until = Date.now() + 10_000;
        while (Deno.statSync(folder).mtime!.getTime() === 0 && Date.now() < until) {
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
        assert(Date.now() - Deno.statSync(folder).mtime!.getTime() < 60_000);
      }
    } finally {
      clearInterval(timer);
    }
  },
});
