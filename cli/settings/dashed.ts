/** `maxThinking` as flags and files write it: `max-thinking`. */
export function dashed(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** `max-thinking` (or `max_thinking`) as the program writes it: `maxThinking`. */
export function camel(name: string): string {
  return name.replace(/[-_](.)/g, (_, letter: string) => letter.toUpperCase());
}
