import { useEffect, useState } from "preact/hooks";
import type { Answer } from "../app/use_answer.ts";
import type { RolloutView, Source } from "../data/view_data.ts";
import type { RolloutAddress } from "./beside.ts";

/** A rollout in full: asked for once, since what was kept does not change. The one before stays until it is there. */
export function useRollout(source: Source, { id, place }: RolloutAddress): Answer<RolloutView> {
  const [answer, setAnswer] = useState<Answer<RolloutView>>({ value: undefined, error: null });
  useEffect(() => {
    let ended = false;
    source.rollout(id, place).then(
      (value) => !ended && setAnswer({ value, error: null }),
      (error: Error) => !ended && setAnswer({ value: undefined, error: error.message }),
    );
    return () => void (ended = true);
  }, [source, id, place]);
  return answer;
}
