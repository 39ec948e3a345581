/** What a command was told: its values, its positional arguments, and all that its config file sets. */
export interface Told {
  values: Readonly<Record<string, unknown>>;
  args: readonly string[];
  config: Readonly<Record<string, unknown>>;
}

/** A value that is a text; undefined of any other. */
export const text = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined;

/** A list of what is there. */
export const present = (path: string | undefined): string[] => path === undefined ? [] : [path];

/** What cannot be read is left out here: the command itself will say it. */
export function quietly<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
