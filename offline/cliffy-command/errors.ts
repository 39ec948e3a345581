import type { Command as Commander, CommanderError } from "commander";
import { closest } from "./closest.ts";

/** What an error asks of the command that it is about. */
export interface BlamedCommand {
  /** The command of commander that does its work. */
  readonly inner: Commander;
  /** Its name behind those of the commands above it. */
  getPath(): string;
  /** Arguments that are needed and not there. */
  missingArguments(): string[];
  /** Words beyond the last argument. */
  surplusArguments(): string[];
}

/** Settings of a ValidationError. */
export interface ValidationErrorOptions extends ErrorOptions {
  /** Status that the process ends with; 2 if not given. */
  exitCode?: number;
}

/** Wrong usage of a command. */
export class ValidationError extends Error {
  /** Status that the process ends with. */
  readonly exitCode: number;
  /** The command that was used wrongly. */
  cmd?: BlamedCommand;

  constructor(message: string, { exitCode, cause }: ValidationErrorOptions = {}) {
    super(message, { cause });
    this.exitCode = exitCode ?? 2;
  }
}

/** Commander's complaint in Cliffy's words. */
export function translateError(error: CommanderError, command: BlamedCommand): ValidationError {
  const quoted = [...error.message.matchAll(/'([^']*)'/g)].map((match) => match[1]);
  const guess = (what: string, candidates: readonly string[]) => {
    const nearest = closest(quoted[0], candidates);
    return nearest === undefined ? "" : ` Did you mean ${what} "${nearest}"?`;
  };
  const name = (flags = "") => flags.match(/--?[\w-]+/g)?.at(-1) ?? flags;
  const text = () => {
    switch (error.code) {
      case "commander.unknownOption":
        return `Unknown option "${quoted[0]}".${guess("option", flagsOf(command.inner))}`;
      case "commander.unknownCommand":
        return `Unknown command "${quoted[0]}".${
          guess("command", command.inner.commands.map((one) => one.name()))
        }`;
      case "commander.optionMissingArgument":
        return `Missing value for option "${name(quoted[0])}".`;
      case "commander.missingMandatoryOptionValue":
        return `Missing required option "${name(quoted[0])}".`;
      case "commander.missingArgument":
        return `Missing argument(s): ${command.missingArguments().join(", ")}`;
      case "commander.conflictingOption":
        return `Option "${name(quoted[0])}" conflicts with option "${name(quoted[1])}".`;
      case "commander.excessArguments":
        return command.inner.registeredArguments.length === 0
          ? `No arguments allowed for command "${command.getPath()}".`
          : `Too many arguments: ${command.surplusArguments()[0]}`;
      default:
        return error.message.replace(/^error: /, "");
    }
  };
  return new ValidationError(text(), { cause: error });
}

/** The flags that a command knows: help, those of the commands above it, its own. */
function flagsOf(command: Commander): string[] {
  const above: Commander[] = [];
  for (let one: Commander | null = command; one; one = one.parent) above.unshift(one);
  const options = above.flatMap((one) => one.options);
  return [
    "--help",
    "-h",
    ...options.flatMap(({ long, short }) => [long, short].filter((flag) => flag !== undefined)),
  ];
}
