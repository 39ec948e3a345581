import type { Row, RowValue } from "./row.ts";

/** Why a row cannot be read; who reads the file adds which row of which file it is. */
export class RowError extends Error {}

/**
 * The text in a field, a number written out.
 *
 * @throws RowError if it is missing or of another kind
 */
export function textOf(row: Row, field: string): string {
  const value = Object.hasOwn(row, field) ? row[field] : undefined;
  if (typeof value === "string") return value;
  if (typeof value === "number") return String(value);
  throw new RowError(`has ${kindOf(value)} as ${field}, a text is needed`);
}

/** The text in a field; undefined where there is none. */
export function textIn(row: Row, field: string): string | undefined {
  const value = Object.hasOwn(row, field) ? row[field] : undefined;
  return typeof value === "string" && value.trim() !== "" ? value : undefined;
}

/**
 * The texts in a field that holds a list of them.
 *
 * @throws RowError if it is missing or of another kind
 */
export function textsOf(row: Row, field: string): string[] {
  const value = Object.hasOwn(row, field) ? row[field] : undefined;
  if (Array.isArray(value) && value.every((one) => typeof one === "string")) return value as string[];
  throw new RowError(`has ${kindOf(value)} as ${field}, a list of texts is needed`);
}

function kindOf(value: RowValue | undefined): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  return Array.isArray(value)
    ? "a list"
    : typeof value === "object"
    ? "an object"
    : `the ${typeof value} ${value}`;
}
