import { ValidationError } from "./errors.ts";

/** One word of the command line, as a type's parser sees it. */
export interface ArgumentValue {
  /** "Option" or "Argument". */
  label: string;
  /** The type's name. */
  type: string;
  /** The option with its dashes, or the argument. */
  name: string;
  /** The word itself. */
  value: string;
}

/** Turns a word into a value, or throws a ValidationError. */
export type TypeHandler<T> = (argument: ArgumentValue) => T;

/** A type's parser: a function, or an object such as an EnumType. */
export type TypeOrTypeHandler<T> = TypeHandler<T> | EnumType<string | number | boolean>;

/** A type that allows the given values alone. */
export class EnumType<const T extends string | number | boolean> {
  readonly #allowed: ReadonlyArray<T>;

  constructor(values: ReadonlyArray<T>) {
    this.#allowed = values;
  }

  /** The value that is written so, or a ValidationError that names the allowed ones. */
  parse(argument: ArgumentValue): T {
    for (const value of this.#allowed) if (String(value) === argument.value) return value;
    throw invalidType(argument, this.#allowed);
  }

  /** The allowed values. */
  values(): T[] {
    return [...this.#allowed];
  }
}

/** The types that every command knows. */
export const builtInTypes: Record<string, TypeHandler<unknown>> = {
  string: ({ value }) => value,
  file: ({ value }) => value,
  integer: (argument) => checked(argument, Number(argument.value), Number.isInteger),
  number: (argument) =>
    checked(argument, argument.value === "" ? NaN : Number(argument.value), Number.isFinite),
  boolean: (argument) => {
    if (argument.value === "true" || argument.value === "1") return true;
    if (argument.value === "false" || argument.value === "0") return false;
    throw invalidType(argument, ["true", "false", "1", "0"]);
  },
};

function checked(argument: ArgumentValue, value: number, holds: (value: number) => boolean): number {
  if (!holds(value)) throw invalidType(argument);
  return value;
}

function invalidType({ label, name, type, value }: ArgumentValue, expected?: readonly unknown[]): Error {
  const values = expected ? ` Expected values: ${expected.map((one) => `"${one}"`).join(", ")}` : "";
  return new ValidationError(`${label} "${name}" must be of type "${type}", but got "${value}".${values}`);
}
