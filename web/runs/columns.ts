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
  /** The narrowest windows go without it. */
  isWide?: boolean;
}

/** Columns of a number in `last`, with so many decimals. */
function metric(
  name: string,
  head: string,
  says: string,
  key: string,
  decimals: number,
  isWide = false,
): Column {
  return {
    ...{ name, head, says, isNumber: true, isWide },
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
    text: ({ best }) => best ? `${fixed(best.accuracy, 3)} @ ${best.step}` : "–",
    value: ({ best }) => best?.accuracy ?? -1,
  },
  metric("reward", "reward", "Mean of the last update's rollouts", "reward", 1),
  metric("accuracy", "accuracy", "Share of right answers in the last update", "accuracy", 3),
  metric("length", "tokens", "Thinking steps a rollout in the last update", "thinking_tokens", 1, true),
  {
    ...{ name: "speed", head: "tokens/s", says: "Of the last update's rollouts", isNumber: true },
    text: ({ last }) =>
      last["time.rollout_tokens_per_second"] === undefined
        ? "–"
        : grouped(Math.round(last["time.rollout_tokens_per_second"])),
    value: ({ last }) => last["time.rollout_tokens_per_second"] ?? -1,
  },
  {
    ...{ name: "update", head: "s/update", says: "Seconds of the last update", isNumber: true, isWide: true },
    text: ({ last }) => number(last["time.step"]),
    value: ({ last }) => last["time.step"] ?? -1,
  },
];
