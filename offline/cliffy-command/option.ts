import { Option } from "commander";
import { ValidationError } from "./errors.ts";
import { builtInTypes, EnumType, type TypeOrTypeHandler } from "./types.ts";

/** An empty word is no value: the option is as one that was not given. */
export const NO_VALUE = Symbol("no value");

/** Settings of an option. */
export interface OptionOptions {
  default?: unknown;
  required?: boolean;
  /** The option may be given several times; its value is the list of all. */
  collect?: boolean;
  /** Options that must not be given beside it. */
  conflicts?: string[];
  /** Options that must be given beside it. */
  depends?: string[];
  hidden?: boolean;
}

/** A placeholder such as `<modes:mode[]>`, taken apart. */
export interface Placeholder {
  name: string;
  type: string;
  /** What its completions are registered under; see Command.globalComplete. */
  action: string;
  optional: boolean;
  variadic: boolean;
  list: boolean;
}

/** Custom types of a command by name. */
export type Types = Map<string, TypeOrTypeHandler<unknown>>;

/** Reads `<name:type>`, `[name:type]`, `<name:type:action>`, `<name:type[]>`, `[...name:type]`. */
export function parsePlaceholder(text: string): Placeholder {
  const inner = text.slice(1, -1);
  const [name, type = "string", action = type] = inner.replace("...", "").split(":");
  return {
    name,
    type: type.replace("[]", ""),
    action,
    optional: text.startsWith("["),
    variadic: inner.includes("..."),
    list: type.endsWith("[]"),
  };
}

/** The value that a word stands for under a placeholder's type. */
export function parseWord(
  types: Types,
  { type, list }: Placeholder,
  label: string,
  name: string,
  word: string,
) {
  const handler = types.get(type) ?? builtInTypes[type];
  if (!handler) throw new Error(`Unknown type "${type}".`);
  const parse = (value: string) => {
    const argument = { label, type, name, value };
    return handler instanceof EnumType ? handler.parse(argument) : handler(argument);
  };
  return list ? word.split(",").map(parse) : parse(word);
}

/** Commander's option for one of Cliffy's. */
export function translateOption(
  flags: string,
  description: string,
  options: OptionOptions,
  types: Types,
  isGiven: (attribute: string) => boolean,
): Option {
  const definition = flags.match(/[<[].*[>\]]$/)?.[0];
  const placeholder = definition ? parsePlaceholder(definition) : undefined;
  const shown = placeholder &&
    (placeholder.optional ? `[${placeholder.name}]` : `<${placeholder.name}>`);
  const names = definition ? flags.slice(0, -definition.length).trim() : flags;
  const option = new Option(shown ? `${names} ${shown}` : names, description);
  const long = option.long ?? option.short ?? names;

  option.default(options.default).makeOptionMandatory(options.required ?? false).hideHelp(
    options.hidden ?? false,
  );
  option.conflicts((options.conflicts ?? []).map(attributeOf));
  option.argParser((word: string | undefined, previous: unknown) => {
    const again = isGiven(option.attributeName());
    if (again && !options.collect) {
      const name = long.replace(/^--no-/, "--");
      throw new ValidationError(`Option "${name}" can only occur once, but was found several times.`);
    }
    if (word === undefined || !placeholder) return undefined;
    if (word === "") return NO_VALUE;
    const value = parseWord(types, placeholder, "Option", long, word);
    return options.collect ? [...(again ? previous as unknown[] : []), value] : value;
  });
  const handler = placeholder && types.get(placeholder.type);
  if (handler instanceof EnumType) option.argChoices = handler.values().map(String);
  return option;
}

/** `--max-thinking` or `max-thinking` as the key of the parsed options: `maxThinking`. */
export function attributeOf(name: string): string {
  return name.replace(/^-*(no-)?/, "").replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}
