import process from "node:process";
import { parsePlaceholder, parseWord, type Placeholder, type Types } from "./option.ts";
import { ValidationError } from "./errors.ts";

/** An environment variable that a command reads as one of its options. */
export interface Variable {
  name: string;
  /** The option's key: the name in camel case, less the prefix. */
  key: string;
  placeholder: Placeholder;
  description: string;
  required: boolean;
}

/** Reads `NAME=<value:type>`. */
export function parseVariable(
  definition: string,
  description: string,
  { required = false, prefix = "" }: { required?: boolean; prefix?: string },
): Variable {
  const [name, placeholder = "<value:string>"] = definition.split("=");
  const key = name.slice(name.startsWith(prefix) ? prefix.length : 0).toLowerCase()
    .replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
  return { name, key, placeholder: parsePlaceholder(placeholder), description, required };
}

/** The options that the environment sets. */
export function readVariables(variables: readonly Variable[], types: Types): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  for (const { name, key, placeholder, required } of variables) {
    const value = process.env[name];
    if (value) options[key] = parseWord(types, placeholder, "Environment variable", name, value);
    else if (required) throw new ValidationError(`Missing required environment variable "${name}".`);
  }
  return options;
}

/** The part of the help that commander does not write: environment variables and examples. */
export function helpFooter(
  examples: readonly [name: string, text: string][],
  variables: readonly Variable[],
): string {
  const width = Math.max(0, ...variables.map(({ name }) => name.length));
  const listed = variables.map(({ name, description }) => `  ${name.padEnd(width)}  ${description}`);
  const shown = examples.map(([name, text]) => `  ${name}:\n    ${text.replaceAll("\n", "\n    ")}`);
  return (listed.length ? `\nEnvironment variables:\n${listed.join("\n")}\n` : "") +
    (shown.length ? `\nExamples:\n${shown.join("\n")}\n` : "");
}
