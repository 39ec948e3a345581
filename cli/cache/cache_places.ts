import { isAbsolute, join } from "node:path";

/**
 * Where the launchers and the program may put something of their own: as the launchers look for it, without doubles. A relative path counts
 * in SOFTCOT_CACHE alone, which a user wrote for softcot; elsewhere it is passed over, as the XDG specification has it.
 */
export function cachePlaces(): string[] {
  const { env } = Deno;
  const of = (name: string) => env.get(name) || undefined;
  const user = Deno.uid();
  const home = of("HOME");
  const places = [
    ...[of("XDG_CACHE_HOME"), home && join(home, ".cache")].map((base) => base && join(base, "softcot")),
    ...["/var/tmp", of("TMPDIR") ?? "/tmp", "/dev/shm"].map((base) => join(base, `softcot-${user}`)),
  ].filter((place) => place !== undefined && isAbsolute(place));
  return [...new Set([of("SOFTCOT_CACHE"), ...places].filter((place) => place !== undefined))];
}
