import { Command, EnumType, ValidationError } from "@cliffy/command";
import { keepYoung } from "../cache/keep_young.ts";
import { closest } from "./closest.ts";
import { readConfigFile, type Source } from "./config_file.ts";
import { dashed } from "./dashed.ts";
import { flags as everyFlag } from "./flags.ts";
import { takenFlag, unmarked } from "./literal_words.ts";
import { type Origin, resolveWithOrigins } from "./resolve_config.ts";
import type { Setting, Settings, Values } from "./setting.ts";
import { shown } from "./shown.ts";
import { giveUpPermissions } from "../permissions/give_up.ts";
import { keepHangupIgnored } from "../terminal/interrupt.ts";
import { print } from "../terminal/print.ts";
import { safeJson } from "../terminal/safe_text.ts";
import { takeOwnGpu } from "../vulkan/own_gpu.ts";
import { seeToVulkan } from "../vulkan/see_to_vulkan.ts";

/**
 * Writes the command's result to stdout: `data` with --json, else the text. One object, whose lists have names: no array, whatever the number, so
 * that programs read one form.
 */
export type Print = <T extends object>(
  data: T extends readonly unknown[] ? never : T,
  text: () => string,
) => void;

/** What a command's `run` gets beside its values. */
export interface Context<S extends Settings> {
  /** The positional arguments. */
  args: string[];
  /** Nothing but results and errors is to be printed. */
  quiet: boolean;
  /** Results go to stdout as JSON. */
  json: boolean;
  /** Who set each value. */
  origins: Record<keyof S, Origin>;
  /** The config file's values, by their names there: also those that other commands alone have. */
  config: Readonly<Record<string, unknown>>;
  print: Print;
}

/** A command as its file declares it. */
interface CommandSpec<S extends Settings> {
  /** The first line is shown in the list of commands, all of it in the command's own help. */
  description: string;
  /** Positional arguments, as Cliffy writes them, with their descriptions. */
  arguments?: readonly (readonly [definition: string, description: string])[];
  /** The values that may be set; most come from flags.ts, since a flag means the same everywhere. */
  settings: S;
  /** It opens a device, or may: it takes --gpu, and a device is seen to before it runs. */
  opensDevice?: true;
  /** The recipe that fits what flags and config file chose. */
  recipe?: (chosen: Values<S>) => Source | undefined;
  examples?: readonly (readonly [what: string, line: string])[];
  run(values: Values<S>, context: Context<S>): Promise<void> | void;
}

/**
 * The command of a spec. Each command is a file that exports it as `<name>Command`, and main.ts registers it.
 * Values are resolved before `run` is called; what it throws, report_error.ts reports.
 *
 * @example
 * export const generateCommand = defineCommand({
 *   description: "Continue a text.",
 *   arguments: [["<text:string>", "what to continue"]],
 *   settings: { model: flags.model, seed: flags.seed },
 *   run: async ({ model, seed }, { args, print }) => { ... },
 * });
 */
// deno-lint-ignore no-explicit-any
export function defineCommand<S extends Settings>(spec: CommandSpec<S>): Command<any> {
  // deno-lint-ignore no-explicit-any
  const command: Command<any> = new Command().description(spec.description);
  for (const [definition, description] of spec.arguments ?? []) command.argument(definition, description);
  addOptions(command, spec.settings);
  if (Object.keys(spec.settings).length > 0) {
    command.option("--config <file:file>", "TOML file that sets values by the flags' names");
  }
  if (spec.opensDevice) {
    const told =
      "Device to use: its number in softcot doctor, a part of its name, or its place on the PCI bus";
    command.group(null).option("--gpu <device:string>", `${told} (default: SOFTCOT_GPU, else the first GPU)`);
  }
  for (const [what, line] of spec.examples ?? []) command.example(what, line);
  command.action(async (parsed: Record<string, unknown>, ...given: unknown[]) => {
    const options = asWritten(parsed);
    const taken = takenFlag(given.map(String));
    if (taken !== undefined) throw unknownFlag(taken, flagsOf(spec.settings));
    const words = given.map((word) => unmarked(String(word)));
    const file = typeof options.config === "string" ? readConfigFile(options.config) : undefined;
    const { values, origins } = resolveWithOrigins(spec.settings, {
      flags: options,
      file,
      recipe: spec.recipe,
      others: everyFlag,
    });
    // By the environment, so that processes that a command starts use the same one.
    if (typeof options.gpu === "string") Deno.env.set("SOFTCOT_GPU", deviceNamed(options.gpu));
    keepHangupIgnored();
    keepYoung();
    if (spec.opensDevice) {
      seeToVulkan();
      takeOwnGpu();
    }
    await giveUpPermissions(command.getPath().split(" ").slice(1).join(" "), {
      values,
      args: words,
      config: file?.values ?? {},
    });
    const json = options.json === true;
    return await spec.run(values, {
      args: words,
      quiet: options.quiet === true,
      json,
      origins,
      config: file?.values ?? {},
      print: (data, text) => json ? console.log(safeJson(data)) : print(text()),
    });
  });
  return command;
}

/** @throws ValidationError for blanks, which name nothing: a variable of a script that is not set, say */
function deviceNamed(gpu: string): string {
  if (gpu.trim() !== "") return gpu;
  throw new ValidationError(`Option "--gpu" must name a device, but got "${gpu}".`);
}

/** Flags' values as they were written. */
function asWritten(options: Record<string, unknown>): Record<string, unknown> {
  const written = (value: unknown): unknown =>
    typeof value === "string" ? unmarked(value) : Array.isArray(value) ? value.map(written) : value;
  return Object.fromEntries(Object.entries(options).map(([key, value]) => [key, written(value)]));
}

/** Cliffy takes a word for an argument where it knows no such flag, and a place for an argument is free. */
function unknownFlag(word: string, known: readonly string[]): ValidationError {
  const [name] = word.split("=");
  const nearest = closest(name, known);
  return new ValidationError(
    `Unknown option "${name}".${nearest ? ` Did you mean option "${nearest}"?` : ""}`,
  );
}

/** All flags that a command takes. */
const flagsOf = (settings: Settings): string[] =>
  [...Object.keys(settings).map(dashed), "config", "gpu", "json", "quiet", "help"].map((name) => `--${name}`);

/** Gives a command an option for each setting. Defaults stay out of it: a flag that was not given is absent. */
// deno-lint-ignore no-explicit-any
function addOptions(command: Command<any>, settings: Settings): void {
  let group: string | undefined;
  for (const [key, setting] of Object.entries(settings)) {
    if (setting.group !== group) command.group((group = setting.group) ?? null);
    addOption(command, dashed(key), setting);
  }
  command.group(null);
}

// deno-lint-ignore no-explicit-any
function addOption(command: Command<any>, name: string, setting: Setting<any>): void {
  const names = setting.short ? `-${setting.short}, --${name}` : `--${name}`;
  if (setting.kind === "switch") {
    const on = setting.default === true;
    command.option(names, setting.description, { hidden: on });
    command.option(`--no-${name}`, on ? `Not: ${setting.description}` : "", { hidden: !on });
    return;
  }
  if (setting.words) command.type(name, new EnumType(setting.words));
  if (setting.kind.startsWith("number")) command.type(name, (word) => parseNumber(word, setting.needs));
  const type = {
    ...{ text: "string", texts: "string[]", path: "file" },
    ...{ number: name, numbers: `${name}[]`, choice: name, choices: `${name}[]` },
  }[setting.kind];
  const completed = setting.names === undefined ? "" : `:${setting.names}`;
  if (!/^\w*$/.test(setting.placeholder)) {
    throw new Error(`Cannot define ${names}: its placeholder ${setting.placeholder} is more than a word`);
  }
  command.option(`${names} <${setting.placeholder}:${type}${completed}>`, describe(setting));
}

function describe(setting: Setting<unknown>): string {
  const told = setting.defaultText ?? shown(setting.default);
  return told === "-" ? setting.description : `${setting.description} (default: ${told})`;
}

/** Decimal notation alone: `Number` would take "", "0x10" and " 7 " as well. */
function parseNumber({ name, value }: { name: string; value: string }, needs: string): number {
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value)) return Number(value);
  throw new ValidationError(`Option "${name}" must be ${needs}, but got "${value}".`);
}
