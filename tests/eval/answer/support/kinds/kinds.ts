/** All kinds of pairs, by what they are about. */
import { argumentsOfCommands } from "./arguments.ts";
import type { Kind } from "./kind.ts";

export const KINDS: Record<string, Kind> = {
  "arguments of commands": argumentsOfCommands,
};
