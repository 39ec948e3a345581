/** All kinds of pairs, by what they are about. */
import { argumentsOfCommands } from "./arguments.ts";
import { chains } from "./chains.ts";
import type { Kind } from "./kind.ts";
import { sideBySide } from "./side_by_side.ts";

export const KINDS: Record<string, Kind> = {
  "arguments of commands": argumentsOfCommands,
  "equations side by side": sideBySide,
  "chains of equations": chains,
};
