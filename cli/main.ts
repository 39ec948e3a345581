/**
 * The `softcot` program: its tree of commands, and the one place where errors become words and exit statuses.
 *
 * Each command is a file of its own that exports `<name>Command` (see define_command.ts); it is listed here.
 *
 * @module
 */
import { Command } from "@cliffy/command";
import { CompletionsCommand } from "@cliffy/command/completions";
import { HelpCommand } from "@cliffy/command/help";
import project from "../deno.json" with { type: "json" };
import { benchCommand } from "./bench/bench.ts";
import { dataCommand } from "./data/data.ts";
import { doctorCommand } from "./doctor/doctor.ts";
import { evalCommand } from "./eval/eval.ts";
import { protectAnswers } from "./eval/protect_answers.ts";
import { generateCommand } from "./generate/generate.ts";
import { modelCommand } from "./model/model.ts";
import { settingsCommand } from "./settings_command.ts";
import { sftCommand } from "./sft/sft.ts";
import { reportError } from "./terminal/report_error.ts";
import { trainCommand } from "./train/train.ts";
import { ownProcess } from "./permissions/give_up.ts";
import { guardConsole } from "./terminal/print.ts";

// deno-lint-ignore no-explicit-any
const commands: Record<string, Command<any>> = {
  train: trainCommand,
  eval: evalCommand,
  generate: generateCommand,
  sft: sftCommand,
  model: modelCommand,
  data: dataCommand,
  bench: benchCommand,
  doctor: doctorCommand,
  settings: settingsCommand,
};

/** The program with all its commands. */
// deno-lint-ignore no-explicit-any
export function createProgram(): Command<any> {
  // deno-lint-ignore no-explicit-any
  const program: Command<any> = new Command()
    .name("softcot")
    .version(project.version)
    .meta("deno", Deno.version.deno)
    .description("Trains language models to think in soft tokens, and measures what that does to them.")
    .globalOption("-q, --quiet", "Print results and errors only.")
    .globalOption("--json", "Print results as JSON.")
    .env("SOFTCOT_DEBUG=<on:string>", "show the stack of unexpected errors")
    .throwErrors();
  for (const [name, command] of Object.entries(commands)) program.command(name, command);
  program.command("completions", new CompletionsCommand());
  program.command("help", new HelpCommand());
  return program;
}

/** Runs one command line and returns the status that the process is to end with. */
async function main(args: string[]): Promise<number> {
  try {
    await createProgram().parse(protectAnswers(args));
    return 0;
  } catch (error) {
    return reportError(error);
  }
}

if (import.meta.main) {
  guardConsole();
  ownProcess();
  addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    Deno.exit(reportError(event.reason));
  });
  Deno.exit(await main(Deno.args));
}
