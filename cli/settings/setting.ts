import * as z from "zod";

/**
 * A value that people set: by a flag, in a config file, in a recipe. It is declared once, here; the flag, the
 * key in files, the check and the help all follow from the declaration.
 */
export interface Setting<T> {
  /** How a flag's word is read. */
  readonly kind: "number" | "switch" | "text" | "path" | "choice" | "choices" | "texts" | "numbers";
  /** One line for the help. */
  readonly description: string;
  /** What stands for the value in the help. */
  readonly placeholder: string;
  /** What a legal value is: follows "must be" and precedes "is needed". */
  readonly needs: string;
  /** Decides whether a value is legal. */
  readonly schema: z.ZodType;
  /** The value where nobody sets one. */
  readonly default?: T;
  /** How the help tells the default where it is no fixed value. */
  readonly defaultText?: string;
  /** The allowed words of a choice or of choices. */
  readonly words?: readonly string[];
  /** One letter that stands for the flag. */
  readonly short?: string;
  /** Heading in the help. */
  readonly group?: string;
  /** Refuse to run without a value. */
  readonly required?: boolean;
  /** What shells complete its text by: see completion/names_at_hand.ts. */
  readonly names?: string;
}

/** Settings by their name in the program, in camel case; flags and files write it `with-dashes`. */
// deno-lint-ignore no-explicit-any
export type Settings = Record<string, Setting<any>>;

/** The values of some settings. */
export type Values<S extends Settings> = { [K in keyof S]: S[K] extends Setting<infer T> ? T : never };

/** What every setting may be told. */
interface SettingOptions<T> {
  default?: T;
  defaultText?: string;
  placeholder?: string;
  short?: string;
  group?: string;
  required?: boolean;
  names?: string;
}

/** Bounds of a number; `above` and `below` exclude the bound itself. */
interface Bounds {
  min?: number;
  max?: number;
  above?: number;
  below?: number;
}

/** T; or T | undefined, where neither a default nor `required` makes sure of a value. */
type Sure<T, O> = O extends { default: unknown } | { required: true } ? T : T | undefined;

/** A whole number. On the command line `1000` and `1e3` are the same; `abc`, `1.5` and `0x10` are refused. */
export function integer<const O extends SettingOptions<number> & Bounds>(
  description: string,
  options?: O,
): Setting<Sure<number, O>> {
  const bounds = options ?? {};
  return declare("number", description, bounded(z.int(), bounds), `an integer${told(bounds)}`, {
    placeholder: "N",
    ...options,
  });
}

/** A finite number. */
export function number<const O extends SettingOptions<number> & Bounds>(
  description: string,
  options?: O,
): Setting<Sure<number, O>> {
  const bounds = options ?? {};
  return declare("number", description, bounded(z.number(), bounds), `a number${told(bounds)}`, {
    placeholder: "x",
    ...options,
  });
}

/** Any text but the empty one. */
export function text<const O extends SettingOptions<string>>(
  description: string,
  options?: O,
): Setting<Sure<string, O>> {
  return declare("text", description, z.string().min(1), "a text", { placeholder: "text", ...options });
}

/** A file or a folder. */
export function path<const O extends SettingOptions<string>>(
  description: string,
  options?: O,
): Setting<Sure<string, O>> {
  return declare("path", description, z.string().min(1), "a path", { placeholder: "path", ...options });
}

/** A switch: `--name` sets it, `--no-name` clears it. */
export function flag(
  description: string,
  options: Omit<SettingOptions<boolean>, "placeholder" | "required"> = {},
): Setting<boolean> {
  return declare("switch", description, z.boolean(), "true or false", { default: false, ...options });
}

/** One of some words. */
export function choice<const C extends string, const O extends SettingOptions<NoInfer<C>>>(
  words: readonly C[],
  description: string,
  options?: O,
): Setting<Sure<C, O>> {
  return declare("choice", description, z.enum(words), oneOf(words), {
    placeholder: "name",
    words,
    ...options,
  });
}

/** Some of some words; a list in files, separated by commas on the command line. */
export function choices<const C extends string, const O extends SettingOptions<readonly NoInfer<C>[]>>(
  words: readonly C[],
  description: string,
  options?: O,
): Setting<Sure<C[], O>> {
  return declare("choices", description, z.array(z.enum(words)).min(1), `a list of ${oneOf(words)}`, {
    placeholder: "names",
    words,
    ...options,
  });
}

/** Some texts; a list in files, separated by commas on the command line. */
export function texts<const O extends SettingOptions<readonly string[]>>(
  description: string,
  options?: O,
): Setting<Sure<readonly string[], O>> {
  return declare("texts", description, z.array(z.string().min(1)).min(1), "a list of texts", {
    placeholder: "texts",
    ...options,
  });
}

/** Some finite numbers; a list in files, separated by commas on the command line. */
export function numbers<const O extends SettingOptions<readonly number[]> & Bounds>(
  description: string,
  options?: O,
): Setting<Sure<readonly number[], O>> {
  const bounds = options ?? {};
  const schema = z.array(bounded(z.number(), bounds)).min(1);
  return declare("numbers", description, schema, `a list of numbers${told(bounds)}`, {
    placeholder: "x",
    ...options,
  });
}

function declare<T>(
  kind: Setting<T>["kind"],
  description: string,
  schema: z.ZodType,
  needs: string,
  options: SettingOptions<unknown> & { words?: readonly string[] },
): Setting<T> {
  return { kind, description, schema, needs, placeholder: "", ...options } as Setting<T>;
}

function bounded<N extends z.ZodInt | z.ZodNumber>(schema: N, { min, max, above, below }: Bounds): z.ZodType {
  let result: z.ZodNumber = schema;
  if (min !== undefined) result = result.min(min);
  if (max !== undefined) result = result.max(max);
  if (above !== undefined) result = result.gt(above);
  if (below !== undefined) result = result.lt(below);
  return result;
}

function told({ min, max, above, below }: Bounds): string {
  const low = min !== undefined ? ` of at least ${min}` : above !== undefined ? ` above ${above}` : "";
  const high = max !== undefined ? ` at most ${max}` : below !== undefined ? ` below ${below}` : "";
  return high === "" ? low : `${low}${low ? " and" : below === undefined ? " of" : ""}${high}`;
}

function oneOf(words: readonly string[]): string {
  return words.length === 1 ? words[0] : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}
