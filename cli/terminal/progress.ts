import { unicodeWidth } from "@std/cli";
import { type Counting, progressLine } from "./progress_line.ts";
import { type ProgressStream, stderr } from "./progress_stream.ts";
import { createRate } from "./rate.ts";
import { hideSecrets } from "./hide_secrets.ts";
import { sparkline } from "./sparkline.ts";
import { safeLine, safeText } from "./safe_text.ts";

/** What a progress tells about. */
export interface ProgressOptions extends Counting {
  /** Steps done before this process started (a resumed run): they do not count for the rate. */
  start?: number;
  /** Say nothing at all. */
  quiet?: boolean;
  /** Milliseconds between two plain lines where there is no terminal; 10,000 if not given. Within a step six times as many. */
  interval?: number;
  /** Milliseconds before anything is shown at all: what is done by then is not worth a word. */
  delay?: number;
  /** A field whose course is drawn at the end of a terminal's line, where there is room. */
  curve?: string;
  stream?: ProgressStream;
}

/** How far a step is known to be in units that take equally long, such as tokens. */
interface Work {
  /** Units done by this process. */
  done: number;
  /** Units to come, as far as can be told. */
  left: number;
  /** Nothing tells how many come: `left` is the most there can be. */
  atMost?: boolean;
}

/** Tells on stderr how far a long command is: one live line on a terminal, now and then a line in a pipe. */
export interface Progress extends Disposable {
  /**
   * `step` steps are done; `fields` are shown beside it, e.g. `{ reward: 0.42 }`. Where steps differ in length, `work` says
   * what the rate and the time left are made from.
   */
  update(step: number, fields?: Record<string, number | string>, work?: Work): void;
  /** What is done now of the step under way, shown beside the last state: asked for only where it is shown. */
  within(what: () => string): void;
  /** Shows a line of the caller's own, for what is not counted in steps. */
  show(line: string, isLast?: boolean): void;
  /** Writes a line above the live one; not with `quiet`. */
  log(line: string): void;
  /** Writes the last state for good. Disposing does the same. */
  done(): void;
}

/** Shows how far a long command is. */
export function createProgress(options: ProgressOptions): Progress {
  if (options.quiet) {
    return { update() {}, within() {}, show() {}, log() {}, done() {}, [Symbol.dispose]() {} };
  }
  const stream = options.stream ?? stderr;
  const start = options.start ?? 0, began = stream.now(), interval = options.interval ?? 10_000;
  const rate = createRate(began);
  const course: number[] = [];
  let text = "", written = "", last = -Infinity, live = false, ended = false;
  let line = (now: Record<string, string>) => shown(progressLine(options, start, now, { elapsed: 0 }));

  const show = (force: boolean) => {
    const columns = stream.columns() ?? 0, now = stream.now();
    if (text === written && (columns > 0 || !force)) return;
    if (written === "" && now - began < (options.delay ?? 0)) return;
    if (!force && now - last < (columns > 0 ? OFTEN : interval)) return;
    if (columns > 0) stream.write(`\r${clip(text, columns - 1)}\x1b[K`);
    else if (text !== written) stream.write(`${text}\n`);
    live = columns > 0;
    written = text;
    last = now;
  };
  const done = () => {
    if (ended || text === "") return;
    ended = true;
    show(true);
    if (live) stream.write("\n");
  };
  return {
    update(step, fields = {}, work) {
      const time = stream.now();
      if (work && work.done > 0) rate.begin(work.done, time);
      rate.add(work?.done ?? step - start, time);
      const left = work ?? { left: options.total === undefined ? undefined : options.total - step };
      const pace = { ...left, each: rate.each(), elapsed: (time - began) / 1000 };
      if (options.curve !== undefined) course.push(Number(fields[options.curve]));
      const drawn = course.length > 1 && (stream.columns() ?? 0) > 0
        ? `  ${sparkline(course, MOST_BARS)}`
        : "";
      line = (now) => shown(progressLine(options, step, { ...now, ...fields }, pace)) + drawn;
      text = line({});
      show(step === options.total);
    },
    within(what) {
      const isDue = (stream.columns() ?? 0) > 0
        ? stream.now() - last >= OFTEN
        : stream.now() - Math.max(last, began) >= 6 * interval;
      if (!isDue) return;
      text = line({ now: what() });
      show(false);
    },
    show(line, isLast = false) {
      text = shown(line);
      show(isLast);
    },
    log(lines) {
      const line = safeText(hideSecrets(lines));
      if (!live) return stream.write(`${line}\n`);
      stream.write(`\r\x1b[K${line}\n`);
      written = "";
      show(true);
    },
    done,
    [Symbol.dispose]: done,
  };
}

const MOST_BARS = 24;

/** Milliseconds: more often than the eye can follow costs more than it tells. */
const OFTEN = 100;

const shown = (line: string): string => safeLine(hideSecrets(line));

/** The longest beginning that fits into `columns`. */
function clip(text: string, columns: number): string {
  let width = 0, result = "";
  for (const character of text) {
    width += unicodeWidth(character);
    if (width > columns) break;
    result += character;
  }
  return result;
}
