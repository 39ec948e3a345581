const told = new Set<string>();

/** Tells on the console, once in a process, what somebody should know though the work goes on. */
export function warnOnce(text: string): void {
  if (told.has(text)) return;
  told.add(text);
  console.warn(`warning: ${text}`);
}
