import vm from "node:vm";
import { UserError } from "../../gpu/errors.ts";

/**
 * Runs what a stranger's file decides, a template or a regular expression, and ends it when its time is over, wherever it is.
 *
 * @param milliseconds of the clock
 * @param what for the message: `Cannot WHAT: ...`
 * @param work is left where it stands: it must not hold anything
 * @throws UserError when the time is over, else what `work` throws
 */
export function withDeadline<T>(milliseconds: number, what: string, work: () => T): T {
  let result: { value: T } | undefined;
  place.work = () => {
    result = { value: work() };
  };
  try {
    script.runInContext(place, { timeout: Math.ceil(milliseconds) });
  } catch (error) {
    if ((error as { code?: string }).code !== "ERR_SCRIPT_EXECUTION_TIMEOUT") throw error;
    throw new UserError(
      `Cannot ${what}: it is not done after ${
        Math.ceil(milliseconds / 1000)
      } s, a model's files are to ask for less`,
      "the files may be made to hang whoever opens them: get the model from those who made it",
    );
  }
  return result!.value;
}

const place = vm.createContext({ work: () => {} });
const script = new vm.Script("work()");
