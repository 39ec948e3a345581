import { join } from "node:path";

/** Where the launchers and the program may put something of their own: as the launchers look for it, without doubles. */
export function cachePlaces(): string[] {
  const { env } = Deno;
  const of = (name: string) => env.get(name) || undefined;
  const user = Deno.uid();
  const home = of("HOME");
  const places = [
    of("SOFTCOT_CACHE"),
    ...[of("XDG_CACHE_HOME"), home && join(home, ".cache")].map((base) => base && join(base, "softcot")),
    ...["/var/tmp", of("TMPDIR") ?? "/tmp", "/dev/shm"].map((base) => join(base, `softcot-${user}`)),
  ];
  return [...new Set(places.filter((place) => place !== undefined))];
}
