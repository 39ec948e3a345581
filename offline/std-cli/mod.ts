/**
 * Stand-in for the JSR package `@std/cli`, for machines that cannot reach JSR: only what this project uses.
 *
 * @module
 */
import { eastAsianWidth } from "get-east-asian-width";

/** Columns that a text takes in a terminal: the sum over its code points, as in the original. */
export function unicodeWidth(str: string): number {
  let width = 0;
  for (const character of str) {
    // Marks and vowels that join the letter before them, joiners and control characters take no place.
    if (/^[\p{Mn}\p{Me}\p{Cc}\p{Cf}\u1160-\u11ff]$/u.test(character) && character !== "\u00ad") continue;
    width += eastAsianWidth(character.codePointAt(0)!);
  }
  return width;
}
