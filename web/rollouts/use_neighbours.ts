import { useEffect, useState } from "preact/hooks";
import type { RolloutLine, RolloutView, Source } from "../data/view_data.ts";
import { type FilterQuery, rolloutQuery } from "./rollout_filter.ts";

/** Places of the rollouts before and after one, as a list with these filters has them; null at its ends. */
export function useNeighbours(
  source: Source,
  { id, place }: RolloutView,
  filters: FilterQuery,
): { before: number | null; after: number | null } {
  const [found, setFound] = useState<{ before: number | null; after: number | null }>({
    before: null,
    after: null,
  });
  const key = JSON.stringify([id, place, filters]);
  useEffect(() => {
    let ended = false;
    const { order, ...query } = rolloutQuery(filters);
    const one = async (direction: "first" | "last", from: number): Promise<number | null> => {
      let after: number | null = from;
      let line: RolloutLine | undefined;
      // A search in texts may stop before it has found one.
      while (after !== null && !line && !ended) {
        const answer = await source.rollouts(id, { ...query, order: direction, after, limit: 1 });
        [line, after] = [answer.lines[0], answer.next];
      }
      return line?.place ?? null;
    };
    Promise.all([one("last", place), one("first", place)]).then(([lower, higher]) => {
      if (!ended) {
        setFound(order === "last" ? { before: higher, after: lower } : { before: lower, after: higher });
      }
    }).catch(() => {});
    return () => void (ended = true);
  }, [source, key]);
  return found;
}
