import { openOwn } from "../../model/files/own_file.ts";
import { ownCommand } from "./own_command.ts";
import { PARENT, STATUS } from "../terminal/interrupt.ts";

/** How a process of a sweep ended. */
export interface Ended {
  /** Its exit status. */
  code: number;
  /** What it wrote to stdout. */
  stdout: string;
  /** The last line it said that begins with `error:`, else its last line; what ended it, where that was a signal. */
  message: string;
  seconds: number;
}

/** How a process is started and watched. */
interface ChildOptions {
  /** Beside that of this process. */
  env?: Record<string, string>;
  /** Called with its last line as it says more. */
  said?: (line: string) => void;
}

/** Processes that are at work. */
export interface Children {
  /** Starts the program with these arguments and waits for its end; what it says goes to a log. */
  run(args: readonly string[], log: string, options?: ChildOptions): Promise<Ended>;
  /** Asks all of them to save and end; none is started from then on. */
  stop(): void;
}

/**
 * Starts processes of this program, each in a group of its own: Ctrl-C reaches them through the sweep alone, once. Where the sweep
 * is killed they notice, save and end (see interrupt.ts).
 */
export function createChildren(): Children {
  const running = new Set<Deno.ChildProcess>();
  let isStopped = false;
  return {
    async run(args, log, { env = {}, said: onLine } = {}) {
      if (isStopped) return { code: STATUS.SIGTERM, stdout: "", message: "it was not begun", seconds: 0 };
      const began = performance.now();
      // Before the process: where there can be no log there is none.
      const file = openOwn(log, { append: true });
      const child = ownCommand(args, {
        env: { ...env, [PARENT]: `${Deno.pid}`, NO_COLOR: "1" },
        ...{ stdin: "null", stdout: "piped", stderr: "piped", detached: true },
      }).spawn();
      running.add(child);
      try {
        const [stdout, said, { code, signal }] = await Promise.all([
          new Response(child.stdout).text(),
          keepLog(child.stderr, file, onLine),
          child.status,
        ]);
        const message = messageOf(said, signal);
        return { code, stdout, message, seconds: (performance.now() - began) / 1000 };
      } finally {
        running.delete(child);
      }
    },
    stop() {
      isStopped = true;
      for (const child of running) {
        try {
          child.kill("SIGTERM");
        } catch {
          // it has ended
        }
      }
    },
  };
}

/** Copies what a process says to a file, as it comes, and closes it; returns its end. */
async function keepLog(
  stream: ReadableStream<Uint8Array>,
  log: Deno.FsFile,
  onLine: (line: string) => void = () => {},
): Promise<string> {
  let last = "";
  let file: Deno.FsFile | undefined = log;
  try {
    for await (const bytes of stream) {
      last = (last + new TextDecoder().decode(bytes)).slice(-4000);
      const line = last.trimEnd().split("\n").at(-1)!;
      if (line !== "") onLine(line);
      try {
        for (let at = 0; file !== undefined && at < bytes.length;) at += file.writeSync(bytes.subarray(at));
      } catch {
        // On a full disk the process is to say so itself, and to be read to its end.
        file?.close();
        file = undefined;
      }
    }
  } finally {
    file?.close();
  }
  return last;
}

/** What a process came to by its last words and the signal that ended it. */
export function messageOf(said: string, signal: Deno.Signal | null): string {
  const lines = said.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  const error = lines.findLast((line) => line.startsWith("error: "))?.slice("error: ".length);
  const last = lines.at(-1);
  if (error !== undefined || signal === null) return error ?? last ?? "it said nothing";
  const cause = signal === "SIGKILL" ? ", as the system does where memory is short" : "";
  return `it was ended by ${signal}${cause}${last === undefined ? "" : `; it said last: ${last}`}`;
}
