/** Where softcot keeps things of its own: the places of the launchers, and none that depends on the folder a command is started in. */
import { assertEquals } from "@std/assert";
import { cachePlaces } from "../../cli/cache/cache_places.ts";
import { tuningFolder } from "../../gpu/tuning.ts";

const NAMES = ["SOFTCOT_CACHE", "XDG_CACHE_HOME", "HOME", "TMPDIR"];

/** Asks with these variables and no others of their kind. */
function withEnvironment<T>(env: Record<string, string>, ask: () => T): T {
  const before = NAMES.map((name) => [name, Deno.env.get(name)] as const);
  const set = (name: string, value: string | undefined) =>
    value === undefined ? Deno.env.delete(name) : Deno.env.set(name, value);
  try {
    for (const name of NAMES) set(name, env[name]);
    return ask();
  } finally {
    for (const [name, value] of before) set(name, value);
  }
}

Deno.test("relative paths are passed over, but in SOFTCOT_CACHE", () => {
  const shared = ["/var/tmp", "/dev/shm"].map((base) => `${base}/softcot-${Deno.uid()}`);
  const places = (env: Record<string, string>) => withEnvironment(env, cachePlaces);
  assertEquals(places({ XDG_CACHE_HOME: "cache", HOME: "home", TMPDIR: "tmp" }), shared);
  assertEquals(places({ XDG_CACHE_HOME: "cache", HOME: "/h", TMPDIR: "tmp", SOFTCOT_CACHE: "c" }), [
    ...["c", "/h/.cache/softcot"],
    ...shared,
  ]);
  assertEquals(places({ XDG_CACHE_HOME: "/x", HOME: "/h" }), [
    ...["/x/softcot", "/h/.cache/softcot", shared[0], `/tmp/softcot-${Deno.uid()}`],
    shared[1],
  ]);
  const tunings = (env: Record<string, string>) => withEnvironment(env, tuningFolder);
  assertEquals(tunings({ XDG_CACHE_HOME: "cache" }), undefined);
  for (const XDG_CACHE_HOME of ["cache", ""]) {
    assertEquals(tunings({ XDG_CACHE_HOME, HOME: "/h" }), "/h/.cache/softcot/tuning");
  }
});
