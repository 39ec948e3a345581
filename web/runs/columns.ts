import type { Place } from "../data/view_data.ts";
import { fixed, grouped, number, settingText } from "../parts/format.ts";

/** A column of the table of runs. */
export interface Column {
  name: string;
  head: string;
  /** What the head says when one rests on it. */
  says: string;
  isNumber: boolean;
  text: (place: Place) => string;
  /** What it is sorted by. */
  value: (place: Place) => number | string;
  /** What a line's mean over its seeds is taken of, and how it is written; of columns where it says something. */
  mean?: { of: (place: Place) => number | undefined; text: (mean: number | undefined) => string };
  /** More is better, so that the most is marked. */
  isScore?: boolean;
  /** The narrowest windows go without it. */
  isWide?: boolean;
}

/** The mean of a column over the places that have a number there. */
export function meanOf(column: Column, places: readonly Place[]): number | undefined {
  const values = places.map((place) => column.mean?.of(place)).filter((each) => each !== undefined);
  return values.length === 0 ? undefined : values.reduce((sum, each) => sum + each, 0) / values.length;
}

/** Columns of a number in `last`, with so many decimals. */
function metric(
  name: string,
  head: string,
  says: string,
  key: string,
  decimals: number,
  more: Pick<Column, "isWide" | "isScore"> = {},
): Column {
  return {
    ...{ name, head, says, isNumber: true, ...more },
    mean: { of: ({ last }) => last[key], text: (mean) => fixed(mean, decimals) },
    text: ({ last }) => fixed(last[key], decimals),
    value: ({ last }) => last[key] ?? -Infinity,
  };
}

function setting(name: string, head: string, says: string): Column {
  return {
    ...{ name, head, says, isNumber: false },
    text: ({ settings }) => settingText(settings[name]),
    value: ({ settings }) => settingText(settings[name]),
  };
}

const speedOf = ({ last }: Place): number | undefined => last["time.rollout_tokens_per_second"];

/** The columns, from left to right; name and state come before them. */
export const COLUMNS: readonly Column[] = [
  setting("task", "task", "What it is trained or tested on"),
  setting("thinking", "way", "The way of thinking"),
  {
    ...{ name: "seed", head: "seed", says: "Of data, draws and noise", isNumber: true },
    text: ({ settings }) => settingText(settings.seed),
    value: ({ settings }) => Number(settings.seed ?? -1),
  },
  {
    ...{ name: "steps", head: "steps", says: "Updates by now, of those asked for", isNumber: true },
    text: ({ steps, ofSteps }) =>
      ofSteps === null ? grouped(steps) : `${grouped(steps)} / ${grouped(ofSteps)}`,
    value: ({ steps }) => steps,
  },
  {
    ...{
      name: "best",
      head: "best",
      says: "Best accuracy of a validation, greedy, and its update",
      isNumber: true,
    },
    mean: { of: ({ best }) => best?.accuracy, text: (mean) => fixed(mean, 3) },
    isScore: true,
    text: ({ best }) => best ? `${fixed(best.accuracy, 3)} @ ${best.step}` : "–",
    value: ({ best }) => best?.accuracy ?? -1,
  },
  metric("reward", "reward", "Mean of the last update's rollouts", "reward", 1, { isScore: true }),
  metric("accuracy", "accuracy", "Share of right answers in the last update", "accuracy", 3, {
    isScore: true,
  }),
  metric("length", "tokens", "Thinking steps a rollout in the last update", "thinking_tokens", 1, {
    isWide: true,
  }),
  {
    ...{ name: "speed", head: "tokens/s", says: "Of the last update's rollouts", isNumber: true },
    mean: { of: speedOf, text: (mean) => mean === undefined ? "–" : grouped(Math.round(mean)) },
    text: ({ last }) =>
      last["time.rollout_tokens_per_second"] === undefined
        ? "–"
        : grouped(Math.round(last["time.rollout_tokens_per_second"])),
    value: ({ last }) => last["time.rollout_tokens_per_second"] ?? -1,
  },
  {
    ...{ name: "update", head: "s/update", says: "Seconds of the last update", isNumber: true, isWide: true },
    mean: { of: ({ last }) => last["time.step"], text: number },
    text: ({ last }) => number(last["time.step"]),
    value: ({ last }) => last["time.step"] ?? -1,
  },
];
