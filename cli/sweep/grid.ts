import { UserError } from "../../gpu/errors.ts";
import { shown } from "../settings/shown.ts";
import type { Named } from "./sweep_plan.ts";

/** A point of a grid. */
export interface Point {
  /** Its place on every axis. */
  name: string;
  /** Its place on all axes but the seed's. */
  line: string;
  settings: Named;
}

/** A value of an axis: what it is called, and the settings that it stands for. */
interface Tick {
  label: string;
  settings: Named;
}

/**
 * All points of a grid. An axis is a setting with a list of values, or a name of the file's own with a list of tables, each with its
 * `name` and settings that go together. Seeds change slowest: every line has its first run before any has its second.
 *
 * @param file what messages call the file
 * @throws UserError if an axis is none
 */
export function pointsOf(grid: Named, file: string): Point[] {
  const axes = Object.entries(grid).map(([axis, values]) => ({ axis, ticks: ticksOf(axis, values, file) }));
  const seeds = axes.filter(({ axis }) => axis === "seed");
  const others = axes.filter(({ axis }) => axis !== "seed");
  const lines = crossed(others.map(({ ticks }) => ticks));
  return crossed(seeds.map(({ ticks }) => ticks)).flatMap((seed) =>
    lines.map((ticks) => {
      const line = labelOf(ticks) || "run";
      return {
        name: [line, labelOf(seed)].filter((part) => part !== "").join("-"),
        line,
        settings: Object.assign({}, ...[...ticks, ...seed].map(({ settings }) => settings)),
      };
    })
  );
}

const labelOf = (ticks: readonly Tick[]): string => ticks.map(({ label }) => label).join("-");

function ticksOf(axis: string, values: unknown, file: string): Tick[] {
  const refuse = (found: string) =>
    new UserError(
      `Cannot use ${file}: ${axis} of [grid] ${found}, a list of values or of named tables is needed`,
      `such as ${axis} = [0, 1, 2], or [[grid.${axis}]] with name = "..." and settings`,
    );
  if (!Array.isArray(values)) throw refuse(`is ${JSON.stringify(values)}`);
  if (values.length === 0) throw refuse("is empty");
  return values.map((value): Tick => {
    if (typeof value !== "object" || Array.isArray(value)) {
      const text = axis === "thinking" ? shown(value) : `${axis}-${shown(value)}`;
      return { label: safe(text), settings: { [axis]: value } };
    }
    const { name, ...settings } = value as Named;
    if (typeof name !== "string" || name === "") throw refuse("has a table without a name");
    return { label: safe(name), settings };
  });
}

/** Every choice of one from each list, the last list changing fastest. */
function crossed<T>(lists: readonly (readonly T[])[]): T[][] {
  return lists.reduce<T[][]>((all, list) => all.flatMap((one) => list.map((item) => [...one, item])), [[]]);
}

/** A label is part of a folder's name. */
const safe = (label: string): string => label.replaceAll(/[^\w.+-]+/g, "_");
