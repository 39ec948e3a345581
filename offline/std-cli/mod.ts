/**
 * Stand-in for the JSR package `@std/cli`, for machines that cannot reach JSR: only what this project uses.
 *
 * @module
 */
import stringWidth from "string-width";

/** Columns that a text takes in a terminal. */
export function unicodeWidth(str: string): number {
  return stringWidth(str, { countAnsiEscapeCodes: true });
}
