/** A blob of the cache is taken for what its name says only where its hash says so, too. */
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { UserError } from "../../gpu/errors.ts";
import { verifyRepo } from "../../model/hub/verify_repo.ts";
import { runSoftcot } from "../cli/support/run_softcot.ts";
import { BLOB, weightRequests, WEIGHTS, withHub } from "../model/support/with_hub.ts";

Deno.test("a blob that was changed at equal length and time is noticed by pull and by verify, and fetched again", () =>
  withHub(async ({ hub, cache, repo, notices, pull }) => {
    await pull();
    const blob = `${repo}/blobs/${BLOB}`;
    const { atime, mtime } = Deno.statSync(blob);
    const whole = await verifyRepo("model", "org/name");
    assertEquals([whole.whole.length, whole.changed], [3, []]);
    hub.seen.length = 0;
    await pull();
    assertEquals(weightRequests(hub), []);
    // The time of the last change is told in seconds.
    await new Promise((resolve) => setTimeout(resolve, 1100));
    const changed = WEIGHTS.slice();
    changed[1000] ^= 1;
    Deno.writeFileSync(blob, changed);
    Deno.utimeSync(blob, atime!, mtime!);
    assertEquals((await verifyRepo("model", "org/name")).changed, [BLOB]);
    const env = { HF_HUB_CACHE: cache };
    const told = await runSoftcot(["model", "verify", "org/name"], env);
    assertEquals(told.code, 1);
    assertStringIncludes(
      told.stderr,
      `1 file of the cache changed since it was fetched: ${BLOB.slice(0, 12)}`,
    );
    await pull();
    assertStringIncludes(notices.join(), "model.safetensors in the cache is not what was fetched");
    assertEquals(Deno.readFileSync(blob), WEIGHTS);
    const verified = await runSoftcot(["model", "verify", "org/name", "--json"], env);
    assertEquals(JSON.parse(verified.stdout).changed, []);
    await assertRejects(() => verifyRepo("model", "org/other"), UserError, "nothing of it is in the cache");
    await assertRejects(() => verifyRepo("model", "../../x"), UserError, "a repository of the hub is needed");
  }));
