/** All kinds of pairs, by what they are about. */
import { argumentsOfCommands } from "./arguments.ts";
import { cancellation } from "./cancellation.ts";
import { chains } from "./chains.ts";
import { conditions } from "./conditions.ts";
import type { Kind } from "./kind.ts";
import { large } from "./large.ts";
import { replies } from "./replies.ts";
import { scripts } from "./scripts.ts";
import { severalValues } from "./several_values.ts";
import { sets } from "./sets.ts";
import { sideBySide } from "./side_by_side.ts";
import { systems } from "./systems.ts";
import { units } from "./units.ts";
import { writing } from "./writing.ts";

export const KINDS: Record<string, Kind> = {
  "arguments of commands": argumentsOfCommands,
  "equations side by side": sideBySide,
  "chains of equations": chains,
  "golds of several values": severalValues,
  "terms that cancel": cancellation,
  "units": units,
  "sets": sets,
  "systems": systems,
  "bound names and conditions": conditions,
  "large values": large,
  "ways of writing": writing,
  "other scripts": scripts,
  "boxes and choices in replies": replies,
};
