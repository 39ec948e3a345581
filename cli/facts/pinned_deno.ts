/** The Deno that everything is tested with: the one that the launcher installs, and that a built file holds. */
export const PINNED_DENO = "2.9.6";
