/**
 * A question reduced to what tells it from others: without case, white space, `$ \ { }` and punctuation, so that copies which
 * differ in typesetting alone are the same.
 */
export function normalText(text: string): string {
  return text.toLowerCase().replace(/[\s$\\{}.,;:!]/g, "");
}
