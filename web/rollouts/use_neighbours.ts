import { useEffect, useRef, useState } from "preact/hooks";
import type { RolloutLine, RolloutView, Source } from "../data/view_data.ts";
import { type FilterQuery, rolloutQuery } from "./rollout_filter.ts";

/** Places of the rollouts before and after one, as a list with some filters has them; null at its ends. */
export interface Neighbours {
  before: number | null;
  after: number | null;
}

const NONE: Neighbours = { before: null, after: null };

/** Looks for the neighbours of a rollout. `soon` is for keys, which may be pressed before they are found. */
export function useNeighbours(
  source: Source,
  { id, place }: RolloutView,
  filters: FilterQuery,
): Neighbours & { soon: () => Promise<Neighbours> } {
  const key = JSON.stringify([id, place, filters]);
  const [found, setFound] = useState({ ...NONE, key: "" });
  const looking = useRef(Promise.resolve(NONE));
  useEffect(() => {
    let ended = false;
    looking.current = neighboursOf(source, id, place, filters, () => ended).catch(() => NONE);
    looking.current.then((neighbours) => !ended && setFound({ ...neighbours, key }));
    return () => void (ended = true);
  }, [source, key]);
  return { ...(found.key === key ? found : NONE), soon: () => looking.current };
}

async function neighboursOf(
  source: Source,
  id: string,
  place: number,
  filters: FilterQuery,
  isEnded: () => boolean,
): Promise<Neighbours> {
  const { order, ...query } = rolloutQuery(filters);
  const next = async (direction: "first" | "last"): Promise<number | null> => {
    let after: number | null = place;
    let line: RolloutLine | undefined;
    // A search in texts may stop before it has found one.
    while (after !== null && !line && !isEnded()) {
      const answer = await source.rollouts(id, { ...query, order: direction, after, limit: 1 });
      [line, after] = [answer.lines[0], answer.next];
    }
    return line?.place ?? null;
  };
  const [lower, higher] = await Promise.all([next("last"), next("first")]);
  return order === "last" ? { before: higher, after: lower } : { before: lower, after: higher };
}
