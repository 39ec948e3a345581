import { fileURLToPath } from "node:url";

/** What the builder wrote about a copy of the program: one file for servers, or a compiled one. */
export interface OwnBuild {
  /** softcot's version. */
  version: string;
  /** The commit it was built from; absent where it was built from no checkout. */
  commit?: string;
  /** Files of that commit were changed. */
  modified?: boolean;
}

/** The name of the file that holds it, beside the code. */
export const BUILD_FILE = "build.json";

/** How this copy was built; undefined where the program runs from its source. */
export function ownBuild(): OwnBuild | undefined {
  const text = textBeside(BUILD_FILE);
  return text === undefined ? undefined : JSON.parse(text);
}

/** A text that the builder put beside the code: bundled, all code lies in one folder. In the source there is none. */
export function textBeside(name: string): string | undefined {
  if (!import.meta.url.startsWith("file:")) return undefined;
  try {
    return Deno.readTextFileSync(new URL(name, import.meta.url));
  } catch {
    return undefined;
  }
}

/** The folder of this file: of a built copy, that of all its code. */
export const ownFolder = (): string => fileURLToPath(new URL(".", import.meta.url));
