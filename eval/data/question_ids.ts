import { hashDigits } from "../hash_text.ts";
import { normalText } from "./normal_text.ts";

/**
 * Gives questions their ids, which follow from the text alone, whichever file it came from; the second of two equal
 * questions gets a number.
 *
 * @param name of the task
 * @returns the id of the next question
 */
export function questionIds(name: string): (text: string) => string {
  const seen = new Map<string, number>();
  return (text) => {
    const normal = normalText(text);
    // The mark goes in front: behind equal hashes it would change nothing.
    const hash = [normal, `#${normal}`].map(hashDigits).join("");
    const times = (seen.get(hash) ?? 0) + 1;
    seen.set(hash, times);
    return `${name}-${hash}${times > 1 ? `-${times}` : ""}`;
  };
}
