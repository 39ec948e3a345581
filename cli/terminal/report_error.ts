import { styleText } from "node:util";
import { ValidationError } from "@cliffy/command";
import { DeviceLostError, GpuError, OutOfMemoryError, UserError } from "../../gpu/errors.ts";
import { describeShortage } from "./describe_shortage.ts";
import { Interrupted } from "./interrupt.ts";
import { hideSecrets } from "./hide_secrets.ts";
import { safeLine, safeText } from "./safe_text.ts";

/** Where and how errors are told. */
interface ReportOptions {
  /** Takes each line; stderr if not given. */
  write?: (line: string) => void;
  /** Show the stack of errors that are no mistake of the user's; SOFTCOT_DEBUG if not given. */
  debug?: boolean;
}

/**
 * Tells a person what went wrong: `error: ...`, then `hint: ...` where there is something to do about it.
 *
 * @returns the status that the process is to end with: 2 for wrong usage, that of the signal after an interruption, else 1
 */
export function reportError(error: unknown, options: ReportOptions = {}): number {
  const write = options.write ?? console.error;
  const debug = options.debug ?? Boolean(Deno.env.get("SOFTCOT_DEBUG"));
  if (error instanceof Interrupted) {
    if (error.message) write(safeText(error.message));
    return error.status;
  }
  if (isBrokenPipe(error)) return 1;
  const { message, hint, status, expected } = explain(error);
  const shown = (text: string) => safeLine(hideSecrets(text));
  write(`${paint("error:", ["red", "bold"])} ${shown(message)}`);
  if (hint) write(`${paint("hint:", ["cyan", "bold"])} ${shown(hint)}`);
  if (debug && !expected) write(safeText(hideSecrets(inspectError(error))));
  return status;
}

interface Explanation {
  message: string;
  hint?: string;
  status: number;
  /** A mistake of the user's: its stack helps nobody. */
  expected: boolean;
}

function explain(error: unknown): Explanation {
  if (error instanceof ValidationError) {
    const hint = `${error.cmd?.getPath() ?? "softcot"} --help tells how it is used`;
    return { message: error.message, hint, status: error.exitCode, expected: true };
  }
  if (error instanceof UserError) {
    return { message: error.message, hint: error.hint, status: 1, expected: true };
  }
  if (error instanceof Deno.errors.NotCapable) {
    const what = firstLine(error).replace(/, run again.*/, "").replace(/^Requires/, "this requires");
    const hint = "a link may lead there; softcot doctor shows what each command may do";
    return {
      message: `Cannot do what this command needs no right to: ${what}`,
      hint,
      status: 1,
      expected: false,
    };
  }
  if (!(error instanceof Error)) return fault(`Something went wrong: ${String(error)}`);
  if (error instanceof DeviceLostError) {
    const hint =
      "start it again; if it happens again, the kernel's log (dmesg) may say why, and softcot doctor tries the device";
    return {
      message: `Cannot go on: the device was lost (${firstLine(error)})`,
      hint,
      status: 1,
      expected: false,
    };
  }
  if (error instanceof OutOfMemoryError) {
    const hint = "end what else uses the device, or ask for less: softcot model info MODEL tells what fits";
    const message = `Cannot go on: the device has ${describeShortage(error)}`;
    return { message, hint, status: 1, expected: false };
  }
  if (error instanceof GpuError) {
    return fault(`The GPU reported an error: ${firstLine(error)}`, "softcot doctor checks the device; ");
  }
  const system = systemErrors[(error as Error & { code?: string }).code ?? ""];
  if (system) return { message: firstLine(error), hint: system, status: 1, expected: false };
  if (error instanceof RangeError && /allocation|memory/i.test(error.message)) {
    const hint =
      "the machine has too little memory for this: a smaller model, or fewer texts at once, need less";
    return { message: `Cannot go on: ${firstLine(error)}`, hint, status: 1, expected: false };
  }
  return fault(`Something went wrong: ${firstLine(error)}`);
}

const systemErrors: Record<string, string | undefined> = {
  ENOENT: "check the path",
  EEXIST: "something else lies there: check the path",
  ENOTDIR: "a file lies where a folder is needed: check the path",
  EISDIR: "a folder lies where a file is needed: check the path",
  EACCES: "check the permissions of that path",
  EPERM: "check the permissions of that path",
  EROFS: "the file system is read-only: choose another folder with --out",
  ENOSPC:
    "the disk is full: free some space; what was kept is whole, and the same command, or --resume of a training, goes on",
  EDQUOT:
    "the disk quota is used up: free some space; what was kept is whole, and the same command, or --resume of a training, goes on",
  EMFILE: "too many files are open: raise the limit with ulimit -n",
};

function fault(message: string, hint = ""): Explanation {
  return { message, hint: `${hint}SOFTCOT_DEBUG=1 shows where it happened`, status: 1, expected: false };
}

function firstLine(error: Error): string {
  return error.message.split("\n")[0] || error.name;
}

function isBrokenPipe(error: unknown): boolean {
  return error instanceof Deno.errors.BrokenPipe || (error as { code?: string } | null)?.code === "EPIPE";
}

function inspectError(error: unknown): string {
  return Deno.inspect(error, { depth: 6, colors: false });
}

/** Colours a text for stderr, where that is a terminal and NO_COLOR is not set. */
function paint(text: string, style: Parameters<typeof styleText>[0]): string {
  if (Deno.noColor || !Deno.stderr.isTerminal()) return text;
  return styleText(style, text, { validateStream: false });
}
