import { UserError } from "../gpu/errors.ts";

/** A file that grows by a line of JSON at a time. */
export interface JsonLines extends Disposable {
  /** Adds an object; its keys are written with underscores, as in all files of a run. */
  write(data: object): void;
}

/**
 * Starts a new file of JSON lines; without a path nothing is written.
 *
 * @throws UserError if the file exists already or cannot be made
 */
export function createJsonLines(path: string | undefined): JsonLines {
  if (path === undefined) return { write() {}, [Symbol.dispose]() {} };
  const file = open(path);
  const encoder = new TextEncoder();
  return {
    write(data) {
      const bytes = encoder.encode(JSON.stringify(withUnderscores(data)) + "\n");
      for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
    },
    [Symbol.dispose]: () => file.close(),
  };
}

function open(path: string): Deno.FsFile {
  try {
    return Deno.openSync(path, { write: true, createNew: true });
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) {
      throw new UserError(
        `Cannot write ${path}: it exists already`,
        "choose another place with --out, or remove it",
      );
    }
    throw new UserError(
      `Cannot write ${path}: ${(error as Error).message}`,
      "choose another place with --out",
    );
  }
}

/** `thinkingTokens` becomes `thinking_tokens`; keys of the object itself alone. */
function withUnderscores(data: object): Record<string, unknown> {
  const named = (key: string) => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [named(key), value]));
}
