/** Stands before a word that is to be taken as it is: no command line can hold it, so that none means something else by it. */
const MARK = "\0";

/**
 * A command line in which no word but a flag looks like one: what follows `--`, and empty words, which parsers of command lines take for
 * none at all, are marked. Answers of `eval check` may begin with a minus sign; what starts so there and is no flag is marked too.
 */
export function markLiterals(line: readonly string[]): string[] {
  // A script with the line ends of another system leaves them on its last words.
  const args = line.map((arg) => arg.replace(/\r+$/, ""));
  // What a shell asks for completions by is no command line of ours.
  if (args[0] === "complete") return args;
  const end = args.includes("--") ? args.indexOf("--") : args.length;
  const marked = args.slice(0, end).map((arg, k) =>
    arg === "" || isAnswer(args, k) ? MARK + arg : /^--[^=]+=$/.test(arg) ? arg + MARK : arg
  );
  return [...marked, ...args.slice(end + 1).map((arg) => MARK + arg)];
}

/** A word as it was written. */
export const unmarked = (word: string): string => word.replaceAll(MARK, "");

/** What a command takes for an argument though it was written as a flag; undefined where there is none. */
export const takenFlag = (args: readonly string[]): string | undefined =>
  args.find((arg) => arg.length > 1 && arg.startsWith("-"));

/** Flags of `eval check` that take a value of their own. */
const VALUED = new Set(["--extract", "--file", "--precision", "--time-limit", "--config"]);

function isAnswer(args: readonly string[], k: number): boolean {
  if (args[0] !== "eval" || args[1] !== "check" || k < 2) return false;
  const isFlag = /^--[a-z]/.test(args[k]) || ["-h", "-q", "-V"].includes(args[k]);
  return args[k].startsWith("-") && !isFlag && !VALUED.has(args[k - 1]);
}
