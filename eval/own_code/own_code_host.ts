/**
 * The process that own code runs in, with the permissions that its user grants and no others: it imports one file, calls what that exports,
 * and writes what comes of it. Arguments are the file's address, and the seconds after which it has given no answer.
 *
 * @module
 */
import type { Call } from "./own_code_guard.ts";
import { type Called, plainText } from "./plain_value.ts";

// Kept before own code can put anything else in their places.
const { stdout } = Deno;
const write = stdout.writeSync.bind(stdout);
const encoder = new TextEncoder();
const [address, limit] = Deno.args;
const guard = new Worker(new URL("./own_code_guard.ts", import.meta.url), { type: "module", name: limit });
const functions: Called[] = [];

/** In order, none waiting for the end of another: as many are under way as are asked for. */
let turn = Promise.resolve();
guard.onmessage = ({ data }: MessageEvent<Call[]>) => {
  turn = turn.then(async () => {
    for (const call of data) {
      // What has its value by now tells it before the next one begins: many that take a while are no silence.
      if (begin(call)) await new Promise((resolve) => setImmediate(resolve));
    }
  });
};

// What fails outside of a call fails the whole.
for (const kind of ["error", "unhandledrejection"] as const) {
  addEventListener(kind, (event) => {
    event.preventDefault();
    const error = "reason" in event ? event.reason : (event as ErrorEvent).error;
    tell(JSON.stringify({ fault: messageOf(error) }));
  });
}

/** Calls a function; whether a promise of its value is left. */
function begin({ id, place, args }: Call): boolean {
  try {
    const value = place === undefined ? load(args as string[]) : functions[place](...args);
    if (typeof (value as Promise<unknown> | undefined)?.then !== "function") {
      answer(id, value);
      return false;
    }
    Promise.resolve(value).then((given) => answer(id, given)).catch((error) => refuse(id, error));
    return true;
  } catch (error) {
    refuse(id, error);
    return false;
  }
}

function answer(id: number, value: unknown): void {
  const line = plainText({ id, value }, functions);
  guard.postMessage(id);
  tell(line);
}

function refuse(id: number, error: unknown): void {
  guard.postMessage(id);
  tell(JSON.stringify({ id, error: messageOf(error) }));
}

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
