import { hideSecrets } from "./hide_secrets.ts";
import { safeText } from "./safe_text.ts";

/** Writes lines of a result to stdout. */
export function print(text: string): void {
  console.log(safeText(text));
}

/** Writes a part of a result to stdout, as it comes. */
export function stream(text: string): void {
  const bytes = new TextEncoder().encode(safeText(text));
  for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
}

/** Writes lines of a message to stderr. */
export function say(text: string): void {
  console.error(safeText(hideSecrets(text)));
}

/** What packages say on the console is a message like any other: it may hold names from files. */
export function guardConsole(): void {
  for (const name of ["debug", "info", "warn"] as const) {
    console[name] = (...parts: unknown[]) => {
      say(parts.map((part) => typeof part === "string" ? part : Deno.inspect(part)).join(" "));
    };
  }
}
