import { useEffect, useRef, useState } from "preact/hooks";
import type { Source } from "../data/view_data.ts";

/** What a source answered so far. */
export interface Answer<T> {
  /** The last answer; it stays while the next one is on its way, so that nothing jumps. Undefined before the first. */
  value: T | undefined;
  /** What went wrong with the last question, in words. */
  error: string | null;
}

/**
 * Asks when it is first shown, when `key` changes, and while live whenever one of the places changes that `ids` names: at most once in
 * `every` milliseconds, and never twice at a time.
 *
 * @param ids places; none for any change at all
 * @param key what is asked, as a text: another key throws the old answer away
 */
export function useAnswer<T>(
  source: Source,
  ids: readonly string[],
  key: string,
  ask: (before: T | undefined) => Promise<T>,
  every = 1000,
): Answer<T> {
  const [answer, setAnswer] = useState<Answer<T> & { key: string }>({ key, value: undefined, error: null });
  const asking = useRef(ask);
  asking.current = ask;
  useEffect(() => {
    let [ended, busy, again, last] = [false, false, false, 0];
    let value: T | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async () => {
      if (busy) return void (again = true);
      [busy, again, last] = [true, false, Date.now()];
      try {
        value = await asking.current(value);
        if (!ended) setAnswer({ key, value, error: null });
      } catch (error) {
        if (!ended) setAnswer({ key, value, error: error instanceof Error ? error.message : String(error) });
      }
      busy = false;
      if (again && !ended) soon();
    };
    const soon = () => {
      clearTimeout(timer);
      timer = setTimeout(look, Math.max(0, last + every - Date.now()));
    };
    look();
    const stop = source.onChange((changed) => {
      if (changed.length === 0 || ids.length === 0 || changed.some((id) => ids.includes(id))) soon();
    });
    return () => {
      ended = true;
      clearTimeout(timer);
      stop();
    };
  }, [source, key, ids.join("\n")]);
  return answer.key === key ? answer : { value: undefined, error: null };
}
