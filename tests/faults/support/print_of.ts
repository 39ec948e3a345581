import { sha256Of } from "../../../model/files/sha256_of.ts";

/** All that a folder holds, as a text: names, kinds, rights, and the hashes of what can be read. Indexes that view keeps are left out. */
export function printOf(path: string): string {
  const { isDirectory, isFile, isSymlink, mode } = Deno.lstatSync(path);
  const kind = `${path} ${mode?.toString(8)}`;
  if (isSymlink) return `${kind} -> ${Deno.readLinkSync(path)}`;
  if (isFile) return `${kind} ${sha256Of([path])}`;
  if (!isDirectory) return kind;
  const names = [...Deno.readDirSync(path)].map(({ name }) => name).filter((name) =>
    !name.endsWith(".index")
  );
  return [kind, ...names.sort().map((name) => printOf(`${path}/${name}`))].join("\n");
}
