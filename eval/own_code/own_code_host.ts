/**
 * The process that own code runs in, with the permissions that its user grants and no others: it imports one file, calls what that exports,
 * and writes what comes of it. Arguments are the file's address, and the seconds after which it has given no answer.
 *
 * @module
 */
import type { Call } from "./own_code_guard.ts";
import { plainText } from "./plain_value.ts";

// Kept before own code can put anything else in their places.
const { stdout } = Deno;
const write = stdout.writeSync.bind(stdout);
const encoder = new TextEncoder();
const [address, limit] = Deno.args;
const guard = new Worker(new URL("./own_code_guard.ts", import.meta.url), { type: "module", name: limit });
const functions: unknown[] = [];

// In order, none waiting for another: as many are under way as are asked for.
guard.onmessage = ({ data }: MessageEvent<Call[]>) => {
  for (const call of data) void answer(call);
};

// What fails outside of a call fails the whole.
for (const kind of ["error", "unhandledrejection"] as const) {
  addEventListener(kind, (event) => {
    event.preventDefault();
    const error = "reason" in event ? event.reason : (event as ErrorEvent).error;
    tell(JSON.stringify({ fault: messageOf(error) }));
  });
}

async function answer({ id, place, args }: Call): Promise<void> {
  let line: string;
  try {
    const value = place === undefined ? await load(args as string[]) : await run(functions[place], args);
    line = plainText({ id, value }, functions);
  } catch (error) {
    line = JSON.stringify({ id, error: messageOf(error) });
  }
  guard.postMessage(id);
  tell(line);
}

// deno-lint-ignore no-explicit-any
const run = (called: any, args: unknown[]) => called(...args);

/** The default export: of an object the parts that are asked for. */
async function load(parts: readonly string[]): Promise<unknown> {
  const { default: exported } = await import(address);
  if (typeof exported !== "object" || exported === null) return exported;
  return Object.fromEntries(parts.map((part) => [part, exported[part]]));
}

/** In a line of its own that begins with a record separator: others are what own code prints. */
function tell(line: string): void {
  const bytes = encoder.encode(`\n\x1e${line}\n`);
  for (let at = 0; at < bytes.length;) at += write(bytes.subarray(at));
}

/** What an error says, and the line of the file that it comes from. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String((error as Error | undefined)?.message ?? error);
  const place = new RegExp(`${RegExp.escape(address)}:(\\d+):(\\d+)`).exec(
    `${error.message}\n${error.stack}`,
  );
  const other = /^ +at (file:\S+):(\d+):(\d+)$/m.exec(error.message);
  const [first] = error.message.split("\n");
  const cause = /\n +0: (.*)/.exec(error.message);
  const what = cause ? `${first}: ${cause[1]}` : first;
  if (other && other[1] !== address) return `${what} (${decodeURI(new URL(other[1]).pathname)}:${other[2]})`;
  return place ? `${what} (line ${place[1]}, column ${place[2]})` : what;
}
