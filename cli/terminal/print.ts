import { stripVTControlCharacters } from "node:util";
import { waitOnWrites } from "../../gpu/device/system_files.ts";
import { hideSecrets } from "./hide_secrets.ts";
import { safeText } from "./safe_text.ts";
import { writeMessage, writeResult } from "./write_out.ts";

/** Writes lines of a result to stdout. */
export function print(text: string): void {
  console.log(safeText(text));
}

/** Writes a part of a result to stdout, as it comes. */
export function stream(text: string): void {
  writeResult(safeText(text));
}

/** Writes lines of a message to stderr. */
export function say(text: string): void {
  console.error(safeText(hideSecrets(text)));
}

/**
 * What is said on the console is written in whole. What packages say there is a message like any other: it may hold names from files;
 * and what they colour, such as help, is plain but on a terminal.
 */
export function guardConsole(): void {
  waitOnWrites();
  const words = (parts: unknown[]) =>
    parts.map((part) => typeof part === "string" ? part : Deno.inspect(part)).join(" ");
  const isPlain = Deno.noColor || !Deno.stdout.isTerminal();
  console.log = (...parts: unknown[]) => {
    writeResult(`${isPlain ? stripVTControlCharacters(words(parts)) : words(parts)}\n`);
  };
  console.error = (...parts: unknown[]) => writeMessage(`${words(parts)}\n`);
  for (const name of ["debug", "info", "warn"] as const) {
    console[name] = (...parts: unknown[]) => say(words(parts));
  }
}
