import { parseArgs } from "node:util";
import { UserError } from "../../gpu/errors.ts";
import { PARTS } from "./parts.ts";

/** What an hour is asked for. */
export interface HourOptions {
  out?: string;
  /** Names of the parts that run. */
  parts: readonly string[];
  minutes: number;
  tiny: boolean;
}

/**
 * Reads the command line.
 * @throws UserError for wrong usage
 */
export function hourOptions(args: string[]): HourOptions {
  const names = PARTS.map(({ name }) => name);
  const values = parsed(args, names.join(","));
  const parts = values.parts.split(",");
  const unknown = parts.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new UserError(
      `Cannot measure "${unknown}": there is no such part`,
      `parts are ${names.join(", ")}`,
    );
  }
  const minutes = Number(values.minutes);
  if (!(minutes > 0 && minutes < Infinity)) {
    throw new UserError(`Cannot measure for "${values.minutes}" minutes: a number above 0 is needed`);
  }
  if (values.out === "") throw new UserError("Cannot write to --out: it is empty, a file is needed");
  return { ...values, parts, minutes };
}

function parsed(args: string[], parts: string) {
  try {
    return parseArgs({
      args,
      options: {
        out: { type: "string" },
        parts: { type: "string", default: parts },
        minutes: { type: "string", default: "8" },
        tiny: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    const [told] = (error as Error).message.split(/\. (?=To specify)|\n/);
    throw new UserError(told, "the flags are --out FILE.json, --parts NAME,..., --minutes N, --tiny");
  }
}
