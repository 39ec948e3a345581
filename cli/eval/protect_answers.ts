/** Flags of the command that take a value of their own. */
const VALUED = new Set(["--extract", "--file", "--precision", "--time-limit", "--config"]);

/**
 * Lets answers begin with a minus sign: in a command line `eval check ...`, what starts with `-` and is no flag gets a
 * space before it, which a parser of command lines takes for a value; the command trims it away.
 */
export function protectAnswers(args: string[]): string[] {
  if (args[0] !== "eval" || args[1] !== "check") return args;
  const isFlag = (arg: string) => /^--[a-z]/.test(arg) || ["-h", "-q", "-V", "--"].includes(arg);
  return args.map((arg, k) => {
    const answer = k >= 2 && arg.startsWith("-") && !isFlag(arg) && !VALUED.has(args[k - 1]);
    return answer ? ` ${arg}` : arg;
  });
}
