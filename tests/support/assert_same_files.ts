import { assert, assertEquals } from "@std/assert";

/** Names of all files below a folder, by their paths from it; of links, too. */
function filesBelow(folder: string, within = ""): string[] {
  return [...Deno.readDirSync(`${folder}/${within}`)].flatMap(({ name, isDirectory }) =>
    isDirectory ? filesBelow(folder, `${within}${name}/`) : [`${within}${name}`]
  ).sort();
}

/** Fails unless two folders hold the same files with the same bytes; of one name alone, if it is given. */
export function assertSameFiles(actual: string, expected: string, only?: string): void {
  const names = only === undefined ? filesBelow(expected) : [only];
  if (only === undefined) assertEquals(filesBelow(actual), names);
  for (const name of names) {
    const [ours, theirs] = [actual, expected].map((folder) => Deno.readFileSync(`${folder}/${name}`));
    assert(
      ours.length === theirs.length && ours.every((byte, i) => byte === theirs[i]),
      `${actual}/${name} differs`,
    );
  }
}
