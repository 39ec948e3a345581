import { unicodeWidth } from "@std/cli";

/** Where progress is written; stderr of the process if not given. */
export interface ProgressStream {
  write(text: string): void;
  /** Columns of the terminal, 0 or undefined where it is none (or tells no width). */
  columns(): number | undefined;
  /** Milliseconds, of a clock that never goes back. */
  now(): number;
}

/** What a progress tells about. */
export interface ProgressOptions {
  /** What is being done, e.g. `train`. */
  label: string;
  /** Steps in all, if known. */
  total?: number;
  /** Steps done before this process started (a resumed run): they do not count for the rate. */
  start?: number;
  /** What `total` counts, where the label does not say: `rollouts`. */
  counted?: string;
  /** What a rate counts, in the plural; steps if not given. */
  unit?: string;
  /** Say nothing at all. */
  quiet?: boolean;
  /** Milliseconds between two plain lines where there is no terminal; 10,000 if not given. */
  interval?: number;
  /** Milliseconds before anything is shown at all: what is done by then is not worth a word. */
  delay?: number;
  stream?: ProgressStream;
}

/** How far a step is known to be in units that take equally long, such as tokens. */
export interface Work {
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
  /** Shows a line of the caller's own, for what is not counted in steps. */
  show(line: string, isLast?: boolean): void;
  /** Writes a line above the live one; not with `quiet`. */
  log(line: string): void;
  /** Writes the last state for good. Disposing does the same. */
  done(): void;
}

/** Shows how far a long command is. */
export function createProgress(options: ProgressOptions): Progress {
  if (options.quiet) return { update() {}, show() {}, log() {}, done() {}, [Symbol.dispose]() {} };
  const stream = options.stream ?? stderr;
  const start = options.start ?? 0, began = stream.now();
  const rate = createRate(began);
  let text = "", written = "", last = -Infinity, live = false, ended = false;

  const show = (force: boolean) => {
    const columns = stream.columns() ?? 0, now = stream.now();
    if (text === written && (columns > 0 || !force)) return;
    if (written === "" && now - began < (options.delay ?? 0)) return;
    // 100 ms: more often than the eye can follow costs more than it tells.
    if (!force && now - last < (columns > 0 ? 100 : options.interval ?? 10_000)) return;
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
      if (work) rate.begin(work.done, time);
      rate.add(work?.done ?? step - start, time);
      const left = work ?? { left: options.total === undefined ? undefined : options.total - step };
      text = describe(options, step, fields, { ...left, each: rate.each() }, (time - began) / 1000);
      show(step === options.total);
    },
    show(line, isLast = false) {
      text = line;
      show(isLast);
    },
    log(line) {
      if (!live) return stream.write(`${line}\n`);
      stream.write(`\r\x1b[K${line}\n`);
      written = "";
      show(true);
    },
    done,
    [Symbol.dispose]: done,
  };
}

/** A duration as people say it: `42s`, `3m 05s`, `2h 07m`, `3d 04h`. */
export function duration(seconds: number): string {
  const s = Math.round(seconds);
  const two = (x: number) => String(x).padStart(2, "0");
  if (s < 60) return `${s}s`;
  if (s < 3600) return `${Math.floor(s / 60)}m ${two(s % 60)}s`;
  if (s < 86400) return `${Math.floor(s / 3600)}h ${two(Math.floor(s / 60) % 60)}m`;
  return `${Math.floor(s / 86400)}d ${two(Math.floor(s / 3600) % 24)}h`;
}

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
function createRate(began: number): Rate {
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

function describe(
  { label, total, counted, unit = "steps" }: ProgressOptions,
  step: number,
  fields: Record<string, number | string>,
  { left, atMost, each }: { left?: number; atMost?: boolean; each?: number },
  elapsed: number,
): string {
  const count = total === undefined ? step : `${String(step).padStart(`${total}`.length)}/${total}`;
  const parts = [`${label} ${count}${counted === undefined ? "" : ` ${counted}`}`];
  for (const [name, value] of Object.entries(fields)) parts.push(`${name} ${format(value)}`);
  if (each !== undefined) parts.push(shownRate(each, unit));
  if (total !== undefined && step >= total) parts.push(duration(elapsed));
  else if (each !== undefined && left !== undefined) {
    parts.push(`${atMost ? "at most " : ""}${duration(each * left)} left`);
  }
  return parts.join("  ");
}

/** `2.50 steps/s`, `51.9k tokens/s`, and where a unit takes longer than a second `3.00 s/step`. */
function shownRate(each: number, unit: string): string {
  const one = unit.replace(/s$/, "");
  if (each >= 100) return `${duration(each)}/${one}`;
  if (each >= 1) return `${each.toPrecision(3)} s/${one}`;
  const rate = 1 / each;
  const power = Math.max(0, Math.min(3, Math.floor(Math.log10(rate * 1.0005) / 3)));
  return `${(rate / 1000 ** power).toPrecision(3)}${["", "k", "M", "G"][power]} ${unit}/s`;
}

function format(value: number | string): string {
  if (typeof value === "string" || Number.isInteger(value)) return String(value);
  const size = Math.abs(value);
  return size >= 1e-3 && size < 1e5 ? value.toPrecision(4) : value.toExponential(2);
}

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

const encoder = new TextEncoder();

const stderr: ProgressStream = {
  write: (text) => {
    for (let bytes = encoder.encode(text); bytes.length > 0;) {
      bytes = bytes.subarray(Deno.stderr.writeSync(bytes));
    }
  },
  columns: () => {
    if (!Deno.stderr.isTerminal() || Deno.env.get("TERM") === "dumb") return 0;
    try {
      return Deno.consoleSize().columns;
    } catch {
      return 0;
    }
  },
  now: () => performance.now(),
};
