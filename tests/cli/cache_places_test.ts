/** Where softcot keeps things of its own: the places of the launchers, and none that depends on the folder a command is started in. */
import { assertEquals } from "@std/assert";
import { cachePlaces } from "../../cli/cache/cache_places.ts";
import { tuningFolder } from "../../gpu/tuning.ts";
import { withEnv } from "../support/with_env.ts";

/** What is asked for with these variables and no others of their kind. */
async function askedWith<T>(env: Record<string, string>, ask: () => T): Promise<T> {
  let answer: T;
  const none = { SOFTCOT_CACHE: "", XDG_CACHE_HOME: "", HOME: "", TMPDIR: "" };
  await withEnv({ ...none, ...env }, () => Promise.resolve(answer = ask()));
  return answer!;
}

Deno.test("relative paths are passed over, but in SOFTCOT_CACHE", async () => {
  const shared = ["/var/tmp", "/dev/shm"].map((base) => `${base}/softcot-${Deno.uid()}`);
  const places = (env: Record<string, string>) => askedWith(env, cachePlaces);
  assertEquals(await places({ XDG_CACHE_HOME: "cache", HOME: "home", TMPDIR: "tmp" }), shared);
  assertEquals(await places({ XDG_CACHE_HOME: "cache", HOME: "/h", TMPDIR: "tmp", SOFTCOT_CACHE: "c" }), [
    ...["c", "/h/.cache/softcot"],
    ...shared,
  ]);
  assertEquals(await places({ XDG_CACHE_HOME: "/x", HOME: "/h" }), [
    ...["/x/softcot", "/h/.cache/softcot", shared[0], `/tmp/softcot-${Deno.uid()}`],
    shared[1],
  ]);
  const tunings = (env: Record<string, string>) => askedWith(env, tuningFolder);
  assertEquals(await tunings({ XDG_CACHE_HOME: "cache" }), undefined);
  for (const XDG_CACHE_HOME of ["cache", ""]) {
    assertEquals(await tunings({ XDG_CACHE_HOME, HOME: "/h" }), "/h/.cache/softcot/tuning");
  }
});
