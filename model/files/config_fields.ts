import { UserError } from "../../gpu/errors.ts";

/** A parsed config.json, or an object in it. */
export type Fields = Record<string, unknown>;

/** A value for a message. */
export const shownField = (value: unknown) => (JSON.stringify(value) ?? "not given").slice(0, 80);

/**
 * A whole number below 2^31.
 *
 * @param where what messages call the file
 * @throws UserError if it is none, or less than `least`
 */
export function wholeNumber(
  fields: Fields,
  key: string,
  least: number,
  where: string,
  fallback?: number,
): number {
  const value = fields[key] ?? fallback;
  if (Number.isInteger(value) && (value as number) >= least && (value as number) < 2 ** 31) {
    return value as number;
  }
  throw new UserError(
    `Cannot open the model by ${where}: ${key} is ${
      shownField(value)
    }, a whole number from ${least} on is needed`,
  );
}

/**
 * A number above 0.
 *
 * @param where what messages call the file
 * @throws UserError if it is none
 */
export function positiveNumber(fields: Fields, key: string, where: string, fallback?: number): number {
  const value = fields[key] ?? fallback;
  if (typeof value === "number" && value > 0 && Number.isFinite(value)) return value;
  throw new UserError(
    `Cannot open the model by ${where}: ${key} is ${shownField(value)}, a number above 0 is needed`,
  );
}

/**
 * End tokens, which may be one or a list.
 *
 * @param where what messages call the file
 * @throws UserError if one is no token
 */
export function endTokenIds(value: unknown, vocabSize: number, where: string): number[] {
  const ids: unknown[] = value == null ? [] : Array.isArray(value) ? value : [value];
  const isId = (id: unknown) => Number.isInteger(id) && (id as number) >= 0 && (id as number) < vocabSize;
  if (ids.every(isId)) return [...new Set(ids as number[])];
  throw new UserError(
    `Cannot open the model by ${where}: eos_token_id is ${
      shownField(value)
    }, token ids below ${vocabSize} are needed`,
  );
}
