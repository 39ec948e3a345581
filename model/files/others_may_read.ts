const remembered = new Map<string, boolean>();

/** Answers for a file, if it is there, what {@link othersMayRead} will be asked when the folders above may no longer be looked at. */
export function rememberOthers(path: string): void {
  try {
    remembered.set(path, othersMayRead(path));
  } catch {
    // Who reads the file will say what is wrong with it.
  }
}

/** Whether users other than the owner (and root) can read a file: by its own mode, and by those of the folders that lead to it. */
export function othersMayRead(path: string): boolean {
  if (Deno.build.os === "windows") return false;
  const known = remembered.get(path);
  if (known !== undefined) return known;
  let at = Deno.realPathSync(path);
  if (!allows(at, 0o044)) return false;
  while ((at = at.slice(0, at.lastIndexOf("/"))) !== "") {
    if (!allows(at, 0o011)) return false;
  }
  return true;
}

function allows(path: string, bits: number): boolean {
  return ((Deno.statSync(path).mode ?? 0) & bits) !== 0;
}
