import { ownProcess, type OwnRights } from "./own_process.ts";
import { valueOf } from "./plain_value.ts";

/** Why own code gave no value: the message follows the name of the file, as `it failed with ...`. */
export class OwnCodeError extends Error {
  /** Its class, for messages. */
  override name = "OwnCodeError";

  /**
   * The error.
   *
   * @param message what follows the name of the file
   * @param hint what to do about it
   */
  constructor(message: string, readonly hint?: string) {
    super(message);
  }
}

/** A file of own code in its process. */
interface OwnCode {
  /** What it exports, once that is asked for. */
  exported?: Promise<unknown>;
  load(parts: readonly string[]): Promise<unknown>;
  isThere(): boolean;
  hurry(): void;
}

/** By their real paths. */
const started = new Map<string, OwnCode>();

/**
 * Starts the process of a file of own code, a task or a reward in TypeScript or JavaScript, which may read its own folder and do what is
 * granted. What loads the file later, in this process, takes it from there.
 *
 * @throws UserError if it cannot be started; Deno.errors.NotFound if there is no such file
 */
export function startOwnCode(path: string, rights: OwnRights = {}): void {
  ownCode(path, rights);
}

/**
 * The default export of a file of own code: of an object these `parts`. Its functions are called in the file's process, and give promises.
 *
 * @throws OwnCodeError if it cannot be loaded, and so do its functions: if they fail or give no answer, or their process ends; an
 * AbortError after {@linkcode hurryOwnCode}. UserError if it cannot be started; Deno.errors.NotFound if there is no such file
 */
export async function importOwnCode(
  path: string,
  parts: readonly string[],
  rights: OwnRights = {},
): Promise<unknown> {
  const code = ownCode(path, rights);
  return await (code.exported ??= code.load(parts));
}

/** To be called after Ctrl-C: own code that gives no answer for two seconds more is ended, and who waits for it gets an AbortError. */
export function hurryOwnCode(): void {
  for (const code of started.values()) code.hurry();
}

const HURRY = 2000;
const SECONDS = 60;

function ownCode(path: string, rights: OwnRights): OwnCode {
  const real = Deno.realPathSync(path);
  const known = started.get(real);
  if (known?.isThere()) return known;
  const code = begun(path, real, { ...rights, seconds: rights.seconds ?? SECONDS });
  started.set(real, code);
  return code;
}

function begun(path: string, real: string, rights: OwnRights & { seconds: number }): OwnCode {
  const { say = console.error } = rights;
  const { child, ended } = ownProcess(path, real, rights, onLine);
  const input = child.stdin.getWriter();
  const open = new Map<number, PromiseWithResolvers<unknown>>();
  let calls = 0;
  let end: Error | undefined;
  let isHurried = false;
  let watch: ReturnType<typeof setTimeout> | undefined;

  function call(place: number | undefined, args: readonly unknown[]): Promise<unknown> {
    if (end) return Promise.reject(end);
    const id = ++calls;
    // An argument that is left out is no null.
    const given = args.slice(0, args.findLastIndex((arg) => arg !== undefined) + 1);
    const waiting = Promise.withResolvers<unknown>();
    open.set(id, waiting);
    moved();
    const line = `${JSON.stringify({ id, place, args: given })}\n`;
    input.write(new TextEncoder().encode(line)).catch(() => {}); // its end is told by `ended`
    return waiting.promise;
  }

  /** A line of its output: what begins with a record separator is for us. */
  function onLine(line: string): void {
    if (!line.startsWith("\x1e")) return line === "" ? undefined : say(line);
    const told = toldIn(line.slice(1));
    if (!told) return finish(new OwnCodeError("it wrote a line as only softcot writes them"));
    if (told.silent) return finish(silence(rights.seconds));
    if ("fault" in told) return finish(failure(told.fault));
    const waiting = open.get(told.id as number);
    open.delete(told.id as number);
    moved();
    if ("error" in told) waiting?.reject(failure(told.error));
    else waiting?.resolve(told.value);
  }

  function toldIn(text: string): Record<string, unknown> | undefined {
    try {
      const told = valueOf(text, call);
      return typeof told === "object" && told !== null ? told as Record<string, unknown> : undefined;
    } catch {
      return undefined;
    }
  }

  /** To be called when it was asked or has answered. A process that nobody waits for keeps no other one going. */
  function moved(): void {
    if (open.size > 0) child.ref();
    else child.unref();
    clearTimeout(watch);
    if (!isHurried || open.size === 0) return;
    watch = setTimeout(() => finish(new DOMException(`${path} gave no answer`, "AbortError")), HURRY);
  }

  function finish(why: Error): void {
    end ??= why;
    for (const { reject } of open.values()) reject(end);
    open.clear();
    moved();
    try {
      child.kill("SIGKILL");
    } catch {
      // it has ended
    }
  }

  ended.then((how) => finish(new OwnCodeError(how)));
  moved();
  return {
    load: (parts) => call(undefined, parts),
    isThere: () => end === undefined,
    hurry() {
      isHurried = true;
      moved();
    },
  };
}

function failure(told: unknown): OwnCodeError {
  const message = String(told).replace(/, run again with the --allow-\w+ flag/, "");
  const isUncached = /--cached-only/.test(message);
  const isDenied = /^Requires \w+ access/.test(message);
  const hint = isUncached
    ? "--allow-own import lets it fetch packages"
    : isDenied
    ? "--allow-own grants it more than to read its own folder"
    : undefined;
  return new OwnCodeError(`it failed with ${JSON.stringify(message)}`, hint);
}

const silence = (seconds: number) =>
  new OwnCodeError(
    `it gave no answer for ${seconds} s`,
    "if it is to take so long, --reward-timeout SECONDS waits longer",
  );
