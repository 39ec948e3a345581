import { ValidationError } from "@cliffy/command";
import { UserError } from "../../gpu/errors.ts";
import { closest } from "./closest.ts";
import type { Source } from "./config_file.ts";
import { camel, dashed } from "./dashed.ts";
import type { Settings, Values } from "./setting.ts";

/** Who may set a value, the first having the last word. */
interface Sources<S extends Settings> {
  /** Parsed flags, by camel-case name; keys that are no settings are passed over. */
  flags?: Record<string, unknown>;
  file?: Source;
  /** May depend on what flags, file and defaults say, e.g. on the task. */
  recipe?: Source | ((chosen: Values<S>) => Source | undefined);
  /** Where they differ from the declared defaults. */
  defaults?: Partial<Values<S>>;
  /** Settings of other commands, which a shared file may set without effect here. */
  others?: Settings;
}

/** Who set a value. */
export type Origin = "flag" | "config" | "recipe" | "default";

/** Resolved values, and who set each. */
interface Resolved<S extends Settings> {
  values: Values<S>;
  origins: Record<keyof S, Origin>;
}

/**
 * The value of every setting: from the flags, else the config file, else the recipe, else the default.
 *
 * @throws ValidationError (wrong usage) where a flag's value is not legal or a required value is missing
 * @throws UserError where a file has an unknown key, with the nearest known one, or a value that is not legal
 */
export function resolveConfig<S extends Settings>(settings: S, sources: Sources<S>): Values<S> {
  return resolveWithOrigins(settings, sources).values;
}

/** As resolveConfig, with the origin of each value. */
export function resolveWithOrigins<S extends Settings>(settings: S, sources: Sources<S>): Resolved<S> {
  const flags = checkedFlags(settings, sources.flags ?? {});
  const file = sources.file ? checkedFile(settings, sources.file, sources.others) : {};
  const defaults = Object.fromEntries(
    Object.keys(settings).map((key) => [key, sources.defaults?.[key] ?? settings[key].default]),
  );
  const chosen = { ...defaults, ...file, ...flags } as Values<S>;
  const found = typeof sources.recipe === "function" ? sources.recipe(chosen) : sources.recipe;
  const recipe = found ? checkedFile(settings, found, sources.others) : {};
  const values = { ...defaults, ...recipe, ...file, ...flags };
  for (const [key, { required }] of Object.entries(settings)) {
    if (!required || values[key] !== undefined) continue;
    throw new ValidationError(`Missing required option "--${dashed(key)}".`);
  }
  const origin = (key: string): Origin =>
    key in flags ? "flag" : key in file ? "config" : key in recipe ? "recipe" : "default";
  const origins = Object.fromEntries(Object.keys(settings).map((key) => [key, origin(key)]));
  return { values: values as Values<S>, origins: origins as Record<keyof S, Origin> };
}

function checkedFlags(settings: Settings, flags: Record<string, unknown>): Record<string, unknown> {
  const given = Object.entries(flags).filter(([key, value]) => key in settings && value !== undefined);
  for (const [key, value] of given) {
    const { schema, needs } = settings[key];
    if (schema.safeParse(value).success) continue;
    throw new ValidationError(`Option "--${dashed(key)}" must be ${needs}, but got "${value}".`);
  }
  return Object.fromEntries(given);
}

function checkedFile(
  settings: Settings,
  { name, values }: Source,
  others?: Settings,
): Record<string, unknown> {
  const checked: Record<string, unknown> = {};
  const spelled: Record<string, string> = {};
  const known = { ...others, ...settings };
  for (const [written, value] of Object.entries(values)) {
    const key = camel(written);
    const setting = Object.hasOwn(known, key) ? known[key] : undefined;
    if (!setting) throw unknownKey(name, written, known);
    if (key in spelled) {
      throw new UserError(
        `Cannot use ${name}: ${spelled[key]} and ${written} set the same value`,
        "keep one of them",
      );
    }
    spelled[key] = written;
    if (!setting.schema.safeParse(value).success) {
      throw new UserError(
        `Cannot use ${name}: ${written} is ${asWritten(value)}, ${setting.needs} is needed`,
      );
    }
    if (Object.hasOwn(settings, key)) checked[key] = value;
  }
  return checked;
}

/** A value as the file has it: JSON knows no nan and no inf, TOML does. */
function asWritten(value: unknown): string {
  if (typeof value !== "number" || Number.isFinite(value)) return JSON.stringify(value);
  return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
}

function unknownKey(name: string, written: string, known: Settings): UserError {
  const names = Object.keys(known).map(dashed);
  const nearest = closest(dashed(camel(written)), names);
  return new UserError(
    `Cannot use ${name}: there is no setting ${written}`,
    nearest ? `did you mean ${nearest}?` : `the settings are ${names.sort().join(", ")}`,
  );
}
