/** What is told on the console, as warnings, while something runs. */
export function warningsOf(run: () => void): string[] {
  const told: string[] = [];
  const warn = console.warn;
  console.warn = (text: string) => told.push(text);
  try {
    run();
  } finally {
    console.warn = warn;
  }
  return told;
}
