import { parse, stringify, TomlError } from "smol-toml";
import { UserError } from "../../gpu/errors.ts";
import { dashed } from "./dashed.ts";
import { readPlainText } from "../../model/files/plain_file.ts";

/** Values read from a config file or a recipe, by the names that stand there. */
export interface Source {
  /** What messages call it: the file's path. */
  name: string;
  values: Record<string, unknown>;
}

/**
 * Reads a config file.
 *
 * @throws UserError where the file cannot be read or is not TOML, with line and column
 */
export function readConfigFile(name: string): Source {
  let source: string;
  try {
    source = readPlainText(name);
  } catch (error) {
    const reason = error instanceof Deno.errors.NotFound
      ? "there is no such file"
      : error instanceof Deno.errors.IsADirectory || /directory/i.test((error as Error).message)
      ? "it is a folder, a TOML file is needed"
      : (error as Error).message;
    throw new UserError(
      `Cannot read the configuration ${name}: ${reason}`,
      "--config takes the path of a TOML file",
    );
  }
  return parseSettings(source, name);
}

/**
 * Settings from the text of a TOML file.
 *
 * @param name what messages call it
 * @throws UserError where it is not TOML, with line and column
 */
export function parseSettings(source: string, name: string): Source {
  try {
    return { name, values: parse(source) };
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const what = error.message.replace(/^Invalid TOML document: /, "").split("\n")[0];
    throw new UserError(
      `Cannot read the configuration ${name}: line ${error.line}, column ${error.column}: ${what}`,
      'a line is `name = value`, with texts in quotes: task = "sums"',
    );
  }
}

/** All values as a TOML file that readConfigFile reads back to the same ones; absent values stay out. */
export function toToml(values: Record<string, unknown>): string {
  const set = Object.entries(values).filter(([, value]) => value !== undefined);
  return stringify(Object.fromEntries(set.map(([key, value]) => [dashed(key), value])));
}
