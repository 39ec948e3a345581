/** Seconds that a unit of work takes. */
interface Rate {
  /** Counts from here on, once: what came before was no such work, as prompts that are read before the first token. */
  begin(done: number, time: number): void;
  /** `done` units in all at a time in milliseconds. */
  add(done: number, time: number): void;
  /** Undefined as long as nobody can tell. */
  each(): number | undefined;
}

const MOST_MARKS = 20;

const MARK_APART = 500;

/** The rate of the latest updates: 20 of them, or 10 seconds where these are longer. */
export function createRate(began: number): Rate {
  const marks = [{ done: 0, time: began }];
  let warm = false;
  return {
    begin(done, time) {
      if (marks.length === 1 && !warm) marks[0] = { done, time };
      warm = true;
    },
    add(done, time) {
      if (done === marks.at(-1)!.done) return;
      if (marks.length > 1 && time - marks.at(-2)!.time < MARK_APART) marks.pop();
      marks.push({ done, time });
      // The first step compiles kernels.
      if (!warm && marks.length === 3) warm = marks.shift() !== undefined;
      if (marks.length > MOST_MARKS) marks.shift();
    },
    each() {
      const first = marks[0], last = marks.at(-1)!;
      const each = (last.time - first.time) / 1000 / (last.done - first.done);
      return each > 0 && Number.isFinite(each) ? each : undefined;
    },
  };
}
