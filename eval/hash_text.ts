/**
 * A 32-bit hash of a text (FNV-1a with a final mix), equal on every machine and in every version.
 *
 * @param text hashed by UTF-16 code units
 */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** {@link hashText} as eight hexadecimal digits. */
export function hashDigits(text: string): string {
  return hashText(text).toString(16).padStart(8, "0");
}
