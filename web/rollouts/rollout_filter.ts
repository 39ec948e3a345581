import type { RolloutQuery } from "../data/view_data.ts";

/** Filters as the address has them, so that a list, and a rollout within it, can be linked. */
export type FilterQuery = Readonly<Record<string, string>>;

/** Names that filters have in the address. */
export const FILTER_NAMES = [
  "step",
  "question",
  "group",
  "mode",
  "end",
  "rule",
  "verdict",
  "reward",
  "only",
  "text",
  "order",
] as const;

/** The filters of an address, without what else stands in it. */
export function filtersOf(query: FilterQuery): Record<string, string> {
  return Object.fromEntries(FILTER_NAMES.filter((name) => query[name]).map((name) => [name, query[name]]));
}

/** What an address asks of a source. Values that are none are passed over: addresses are written by hand, too. */
export function rolloutQuery(query: FilterQuery): RolloutQuery {
  const { step, question, group, mode, end, rule, verdict, reward, only, text, order } = query;
  const [low, high] = rewardRange(reward);
  return without({
    step: numberOf(step),
    question,
    group,
    mode,
    end,
    rule,
    correct: verdict === "right" ? true : verdict === "wrong" ? false : undefined,
    rewardFrom: low,
    rewardTo: high,
    equal: only === "equal" ? true : only === "different" ? false : undefined,
    refilled: only === "refilled" ? true : undefined,
    text,
    order: order === "last" ? "last" as const : undefined,
  });
}

/** `10` is that reward, `10..50` those within, with either end left out. */
function rewardRange(reward = ""): [number | undefined, number | undefined] {
  const [low, high] = reward.split("..");
  return high === undefined ? [numberOf(low), numberOf(low)] : [numberOf(low), numberOf(high)];
}

function numberOf(text: string | undefined): number | undefined {
  const number = Number(text);
  return text === undefined || text.trim() === "" || !Number.isFinite(number) ? undefined : number;
}

const without = <T extends object>(query: T): T =>
  Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined && value !== "")) as T;
