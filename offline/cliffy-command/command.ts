import process from "node:process";
import { styleText } from "node:util";
import { Argument, type Command as Commander, CommanderError, type Option } from "commander";
import { createCommander, markGlobal } from "./commander.ts";
import { helpFooter, parseVariable, readVariables, type Variable } from "./environment.ts";
import { translateError, ValidationError } from "./errors.ts";
import {
  attributeOf,
  NO_VALUE,
  type OptionOptions,
  parsePlaceholder,
  parseWord,
  type Placeholder,
  translateOption,
  type Types,
} from "./option.ts";
import type { TypeOrTypeHandler } from "./types.ts";
import { argumentOf, readWords } from "./words.ts";

// deno-lint-ignore no-explicit-any
type Action = (this: any, options: any, ...args: any[]) => unknown;

/** What a parsed command line amounts to. */
export interface CommandResult {
  options: Record<string, unknown>;
  args: unknown[];
  cmd: Command;
}

/** The words that may stand in a place of a command. */
export type CompleteHandler = (cmd: Command, parent?: Command) => string[] | Promise<string[]>;

/** What completes the words of an action. */
export interface Completion {
  name: string;
  complete: CompleteHandler;
}

/** Called with what a command threw, before that is printed or thrown on. */
export type ErrorHandler = (error: Error, cmd: Command) => unknown;

/** A command of a program, with its options, arguments, action and sub-commands. */
// deno-lint-ignore no-explicit-any
export class Command<_Options = any> {
  /** The command of commander that does the work. */
  readonly inner: Commander = createCommander(
    (error) => this.#stop(error),
    () => helpFooter(this.#examples, this.#variables),
  );
  readonly #types: Types = new Map();
  readonly #depends: { option: string; on: string[] }[] = [];
  readonly #variables: Variable[] = [];
  readonly #examples: [name: string, text: string][] = [];
  readonly #meta: [name: string, value: string][] = [];
  /** Its arguments in their order. */
  readonly placeholders: Placeholder[] = [];
  /** Options that the sub-commands know too. */
  readonly globals: Option[] = [];
  /** What the words of each option are completed by, by the option's long name. */
  readonly completed = new Map<string, string>();
  readonly #commands = new Map<string, Command>();
  readonly #completions = new Map<string, CompleteHandler>();
  #parent?: Command;
  #version?: string;
  #handler?: ErrorHandler;
  #throws = false;
  #exits = true;
  #result?: CommandResult;
  #literals: string[] = [];
  /** The command line as it was written. */
  #asked: readonly string[] = [];
  /** As in Cliffy, the calls that follow `command()` go to the command that it added. */
  #selected: Command = this;

  /** Sets the program's name; a sub-command has the name it was added under. */
  name(name: string): this {
    this.#selected.inner.name(name);
    return this;
  }

  /** Sets what `--version` prints. */
  version(version: string): this {
    const command = this.#selected;
    command.#version = version;
    command.option("-V, --version", "Show the version number for this program.");
    command.inner.on("option:version", () => {
      console.log(command.#asked.includes("-V") ? version : command.getLongVersion());
      command.#stop(new CommanderError(0, "commander.version", version));
    });
    return this;
  }

  /** Adds a line to what `--version` prints. */
  meta(name: string, value: string): this {
    this.#selected.#meta.push([name, value]);
    return this;
  }

  /** Sets the text at the top of the help; its first line is shown in the list of commands. */
  description(description: string): this {
    this.#selected.inner.description(description).summary(description.split("\n")[0]);
    return this;
  }

  /** Registers a type for the placeholders of this command. */
  type(name: string, handler: TypeOrTypeHandler<unknown>): this {
    this.#selected.#types.set(name, handler);
    return this;
  }

  /** Adds an option, such as `-n, --steps <count:integer>`. */
  option(flags: string, description: string, options: OptionOptions = {}): this {
    const command = this.#selected;
    const isGiven = (key: string) => command.inner.getOptionValueSource(key) === "cli";
    const option = translateOption(flags, description, options, command.#types, isGiven);
    const parse = option.parseArg!;
    option.argParser((word: string, previous: unknown) => command.#blamed(() => parse(word, previous)));
    command.inner.addOption(option);
    const definition = flags.match(/<.*>$/)?.[0];
    if (definition) command.completed.set(option.long ?? flags, parsePlaceholder(definition).action);
    if (options.depends) command.#depends.push({ option: option.long ?? flags, on: options.depends });
    return this;
  }

  /** Adds an option that the sub-commands know too. */
  globalOption(flags: string, description: string, options?: OptionOptions): this {
    this.option(flags, description, options);
    const option = this.#selected.inner.options.at(-1)!;
    markGlobal(option);
    this.#selected.globals.push(option);
    return this;
  }

  /** Puts the options added from here on under a heading of their own in the help. */
  group(name: string | null): this {
    this.#selected.inner.optionsGroup(name ? `${name}:` : "");
    return this;
  }

  /** Sets the arguments, such as `<gold:string> [answers...:string]`. */
  arguments(definitions: string, descriptions: string[] = []): this {
    definitions.split(" ").forEach((definition, i) => this.argument(definition, descriptions[i] ?? ""));
    return this;
  }

  /** Adds one argument. */
  argument(definition: string, description: string): this {
    const placeholder = parsePlaceholder(definition);
    const name = placeholder.variadic ? `${placeholder.name}...` : placeholder.name;
    this.#selected.placeholders.push(placeholder);
    this.#selected.inner.addArgument(
      new Argument(placeholder.optional ? `[${name}]` : `<${name}>`, description),
    );
    return this;
  }

  /** Adds a sub-command. */
  command(name: string, command: Command): this {
    command.#parent = this;
    command.#selected = command;
    command.inner.name(name);
    this.inner.addCommand(command.inner);
    this.#commands.set(name, command);
    this.#selected = command;
    return this;
  }

  /** Says what completes words of an action, `<name:type:action>`, in this command and those below it. */
  globalComplete(action: string, complete: CompleteHandler): this {
    this.#selected.#completions.set(action, complete);
    return this;
  }

  /** What completes the words of an action; undefined where nothing was said. */
  getCompletion(action: string): Completion | undefined {
    const complete = this.#completions.get(action);
    return complete ? { name: action, complete } : this.#parent?.getCompletion(action);
  }

  /** The commands below this one. */
  getCommands(): Command[] {
    return [...this.#commands.values()];
  }

  /** Adds another name for a sub-command. */
  alias(alias: string): this {
    this.#selected.inner.alias(alias);
    return this;
  }

  /** Adds an environment variable, such as `SOFTCOT_SEED=<seed:integer>`, read as the option `softcotSeed`. */
  env(definition: string, description: string, options: { required?: boolean; prefix?: string } = {}): this {
    this.#selected.#variables.push(parseVariable(definition, description, options));
    return this;
  }

  /** Adds an example to the help. */
  example(name: string, text: string): this {
    this.#selected.#examples.push([name, text]);
    return this;
  }

  /** Sets what the command does: called with the options, then the arguments. */
  action(action: Action): this {
    const command = this.#selected;
    command.inner.action(() =>
      command.#blamed(async () => {
        const result = command.#parsed();
        command.getMainCommand().#result = result;
        await action.call(command, result.options, ...result.args);
      })
    );
    return this;
  }

  /** Makes errors of this command and its sub-commands reject `parse` instead of ending the process. */
  throwErrors(): this {
    this.#selected.#throws = true;
    return this;
  }

  /** As throwErrors; the help and the version do not end the process either. */
  noExit(): this {
    this.#selected.#exits = false;
    return this.throwErrors();
  }

  /** Sets what is called with an error of this command or of its sub-commands. */
  error(handler: ErrorHandler): this {
    this.#selected.#handler = handler;
    return this;
  }

  /** Parses a command line and runs the command it names. */
  async parse(args: string[] = process.argv.slice(2)): Promise<CommandResult> {
    try {
      for (const command of this.#commands.values()) await command.prepare(args);
      await this.inner.parseAsync(this.#read(args), { from: "user" });
    } catch (error) {
      if (!(error instanceof CommanderError)) this.#report(error);
      if (this.#exits) process.exit(0);
    }
    return this.#result ?? this.#parsed();
  }

  /** The words of the last command line that followed `--`. */
  getLiteralArgs(): string[] {
    return this.getMainCommand().#literals;
  }

  /** Prints the help. */
  showHelp(): void {
    console.log(this.getHelp().trimEnd());
  }

  /** The help as text. */
  getHelp(): string {
    return this.inner.helpInformation() + helpFooter(this.#examples, this.#variables);
  }

  /** Name, version and meta data, as `--version` prints them. */
  getLongVersion(): string {
    const lines = [[this.getMainCommand().getName(), this.#version ?? ""], ...this.#meta];
    return lines.map((line) => line.join(" ")).join("\n");
  }

  /** The command's name. */
  getName(): string {
    return this.inner.name();
  }

  /** The names on the way from the program to this command. */
  getPath(): string {
    return this.#parent ? `${this.#parent.getPath()} ${this.getName()}` : this.getName();
  }

  /** The command that is the program itself. */
  getMainCommand(): Command {
    return this.#parent?.getMainCommand() ?? this;
  }

  /** The sub-command of a name or alias. */
  getCommand(name: string): Command | undefined {
    return this.#commands.get(name) ??
      [...this.#commands.values()].find((one) => one.inner.aliases().includes(name));
  }

  /** The required arguments that the command line lacks. */
  missingArguments(): string[] {
    return this.placeholders.slice(this.inner.args.length).filter((one) => !one.optional).map(({ name }) =>
      name
    );
  }

  /** What stands on the command line after the last argument. */
  surplusArguments(): string[] {
    return this.inner.args.slice(this.placeholders.length).map(argumentOf);
  }

  /** Hook for commands that have something to set up before the program's command line is parsed. */
  protected async prepare(_args: readonly string[]): Promise<void> {}

  /** What commander is given; its own completions are asked for by words that are no command line. */
  #read(args: readonly string[]): string[] {
    this.#asked = args;
    if (args[0] === "complete") return [...args];
    return this.#blamed(() => {
      const { words, literals } = readWords(this, args);
      this.#literals = literals;
      return words;
    });
  }

  /** Options and arguments as commander read them, converted and checked for what it does not know. */
  #parsed(): CommandResult {
    const given = Object.entries(this.inner.optsWithGlobals()).filter(([, value]) => value !== NO_VALUE);
    const options: Record<string, unknown> = {
      ...readVariables(this.#variables, this.#types),
      ...Object.fromEntries(given),
    };
    for (const { option, on } of this.#depends) {
      const missing = options[attributeOf(option)] !== undefined &&
        on.find((other) => options[attributeOf(other)] === undefined);
      if (missing) throw new ValidationError(`Option "${option}" depends on option "--${missing}".`);
    }
    const args = this.inner.args.flatMap((given, i) => {
      const word = argumentOf(given);
      const placeholder = this.placeholders[Math.min(i, this.placeholders.length - 1)];
      if (!placeholder) return [word];
      // An empty word is no argument where none is needed.
      if (word === "" && placeholder.optional) return placeholder.variadic ? [] : [undefined];
      return [parseWord(this.#types, placeholder, "Argument", placeholder.name, word)];
    });
    return { options, args, cmd: this };
  }

  /** Commander calls this with each thing that ends the parse: an error, or the help or version shown. */
  #stop(error: CommanderError): never {
    if (error.code === "commander.help") this.showHelp();
    if (error.exitCode === 0 || error.code === "commander.help") throw error;
    return this.#blamed(() => {
      throw translateError(error, this);
    });
  }

  /** Runs `work`; a ValidationError it throws is told to be this command's. */
  #blamed<T>(work: () => T): T {
    const blame = (error: unknown): never => {
      if (error instanceof ValidationError) error.cmd ??= this;
      throw error;
    };
    try {
      const result = work();
      return result instanceof Promise ? result.catch(blame) as T : result;
    } catch (error) {
      return blame(error);
    }
  }

  /** Hands an error to the nearest handler, then throws it on or prints it and ends the process, as Cliffy does. */
  #report(thrown: unknown): never {
    const error = thrown instanceof Error ? thrown : new Error(`[non-error-thrown] ${thrown}`);
    const blamed = error instanceof ValidationError ? error.cmd : undefined;
    const failed = blamed instanceof Command ? blamed : this;
    const ancestors: Command[] = [];
    for (let one: Command | undefined = failed; one; one = one.#parent) ancestors.push(one);
    const handler = ancestors.map((one) => one.#handler).find((one) => one);
    handler?.(error, failed);
    if (!(error instanceof ValidationError) || ancestors.some((one) => one.#throws)) throw error;
    failed.showHelp();
    const isPlain = Deno.noColor || !Deno.stderr.isTerminal();
    const word = isPlain ? "error" : styleText(["red", "bold"], "error", { validateStream: false });
    console.error(`  ${word}: ${error.message}\n`);
    process.exit(error.exitCode);
  }
}
