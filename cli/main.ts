/**
 * The `softcot` program: its tree of commands, and the one place where errors become words and exit statuses.
 *
 * Each command is a file of its own that exports `<name>Command` (see define_command.ts); it is listed here.
 *
 * @module
 */
import { Command, ValidationError } from "@cliffy/command";
import { CompletionsCommand } from "@cliffy/command/completions";
import { HelpCommand } from "@cliffy/command/help";
import project from "../deno.json" with { type: "json" };
import { markLiterals, unmarked } from "./settings/literal_words.ts";
import { noteSecrets } from "./terminal/hide_secrets.ts";
import { reportError } from "./terminal/report_error.ts";
import { ownProcess } from "./permissions/own_process.ts";
import { guardConsole } from "./terminal/print.ts";

// deno-lint-ignore no-explicit-any
type AnyCommand = Command<any>;

/** Loaded when they are needed: what all of them import takes longer to load than most of them take to run. */
const commands: Readonly<Record<string, () => Promise<AnyCommand>>> = {
  train: async () => (await import("./train/train.ts")).trainCommand,
  eval: async () => (await import("./eval/eval.ts")).evalCommand,
  generate: async () => (await import("./generate/generate.ts")).generateCommand,
  serve: async () => (await import("./serve/serve.ts")).serveCommand,
  worker: async () => (await import("./worker/worker.ts")).workerCommand,
  sft: async () => (await import("./sft/sft.ts")).sftCommand,
  sweep: async () => (await import("./sweep/sweep.ts")).sweepCommand,
  view: async () => (await import("./view/view.ts")).viewCommand,
  report: async () => (await import("./report/report.ts")).reportCommand,
  compare: async () => (await import("./compare/compare.ts")).compareCommand,
  model: async () => (await import("./model/model.ts")).modelCommand,
  data: async () => (await import("./data/data.ts")).dataCommand,
  bench: async () => (await import("./bench/bench.ts")).benchCommand,
  forecast: async () => (await import("./forecast/forecast.ts")).forecastCommand,
  doctor: async () => (await import("./doctor/doctor.ts")).doctorCommand,
  settings: async () => (await import("./settings_command.ts")).settingsCommand,
  version: async () => (await import("./version.ts")).versionCommand,
  licenses: async () => (await import("./licenses/licenses.ts")).licensesCommand,
  cache: async () => (await import("./cache/cache.ts")).cacheCommand,
};

/** Which commands a command line needs: the one that it names; none for the version; all for help and for a guess. */
function needed(args: readonly string[]): string[] {
  // A shell asks for what may follow these words: of a command that has its first argument, only for its own.
  if (args[0] === "complete" && Object.hasOwn(commands, args[2]) && args.length > 3) return [args[2]];
  const named = args.find((arg) => !arg.startsWith("-"));
  if (named === undefined && args.some((arg) => arg === "-V" || arg === "--version")) return [];
  return named !== undefined && Object.hasOwn(commands, named) ? [named] : Object.keys(commands);
}

/** The program with the commands that a command line needs: all of them where none is given. */
export async function createProgram(args: readonly string[] = []): Promise<AnyCommand> {
  const program: AnyCommand = new Command()
    .name("softcot")
    .version(project.version)
    .meta("deno", Deno.version.deno)
    .description("Trains language models to think in soft tokens, and measures what that does to them.")
    .globalOption("-q, --quiet", "Print results and errors only.")
    .globalOption("--json", "Print results as JSON.")
    .env("SOFTCOT_DEBUG=<on:string>", "show the stack of unexpected errors")
    .throwErrors();
  for (const kind of ["task", "model", "run"]) {
    program.globalComplete(
      kind,
      async () => (await import("./completion/names_at_hand.ts")).NAMES_AT_HAND[kind](),
    );
  }
  for (const name of needed(args)) program.command(name, await commands[name]());
  program.command("completions", new CompletionsCommand());
  program.command("help", new HelpCommand());
  return program;
}

/** Whether a script of completions is asked for, or by one: by the words of Cliffy or of its stand-in. */
const isCompletion = (args: readonly string[]): boolean => ["completions", "complete"].includes(args[0]);

/** Whether a command line asks for help, the version or completions: no command is run for it. */
function onlyTells(args: readonly string[]): boolean {
  const flags = args.slice(0, args.includes("--") ? args.indexOf("--") : undefined);
  const named = args.find((arg) => !arg.startsWith("-"));
  return named === undefined || named === "help" || isCompletion(args) ||
    flags.some((flag) => ["-h", "--help", "-V", "--version"].includes(flag));
}

/** Runs one command line and returns the status that the process is to end with. */
async function main(args: string[]): Promise<number> {
  try {
    const program = await createProgram(args);
    if (onlyTells(args)) {
      const { giveUpPermissions } = await import("./permissions/give_up.ts");
      const what = isCompletion(args) ? "completions" : "help";
      await giveUpPermissions(what, { values: {}, args: [], config: {} });
    }
    await program.parse(markLiterals(args));
    return Deno.exitCode; // a command may have a verdict to tell
  } catch (error) {
    if (error instanceof ValidationError) error.message = unmarked(error.message);
    return reportError(error);
  }
}

/** Runs this process's command line, and ends the process. */
export async function runProgram(): Promise<never> {
  guardConsole();
  noteSecrets();
  ownProcess();
  addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    Deno.exit(reportError(event.reason));
  });
  Deno.exit(await main(Deno.args));
}

if (import.meta.main) await runProgram();
