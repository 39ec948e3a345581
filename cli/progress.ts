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
  /** Say nothing at all. */
  quiet?: boolean;
  /** Milliseconds between two plain lines where there is no terminal; 10,000 if not given. */
  interval?: number;
  stream?: ProgressStream;
}

/** Tells on stderr how far a long command is: one live line on a terminal, now and then a line in a pipe. */
export interface Progress extends Disposable {
  /** `step` steps are done; `fields` are shown beside it, e.g. `{ reward: 0.42 }`. */
  update(step: number, fields?: Record<string, number | string>): void;
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
  const marks: Mark[] = [{ step: start, time: began }];
  let text = "", written = "", last = -Infinity, live = false, ended = false;

  const show = (force: boolean) => {
    const columns = stream.columns() ?? 0, now = stream.now();
    if (text === written && (columns > 0 || !force)) return;
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
    update(step, fields = {}) {
      const time = stream.now();
      marks.push({ step, time });
      // The first step compiles kernels: the rate is that of the latest steps, without it where there are more.
      if (marks.length === 3 || marks.length > 20) marks.shift();
      text = describe(options, step, marks, (time - began) / 1000, fields);
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

interface Mark {
  step: number;
  time: number;
}

function describe(
  { label, total }: ProgressOptions,
  step: number,
  marks: Mark[],
  elapsed: number,
  fields: Record<string, number | string>,
): string {
  const parts = [
    `${label} ${total === undefined ? step : `${String(step).padStart(`${total}`.length)}/${total}`}`,
  ];
  for (const [name, value] of Object.entries(fields)) parts.push(`${name} ${format(value)}`);
  const first = marks[0], last = marks.at(-1)!;
  const each = (last.time - first.time) / 1000 / (last.step - first.step);
  if (each > 0 && Number.isFinite(each)) {
    parts.push(each >= 1 ? `${each.toPrecision(3)} s/step` : `${(1 / each).toPrecision(3)} steps/s`);
    if (total !== undefined) {
      parts.push(step < total ? `${duration(each * (total - step))} left` : duration(elapsed));
    }
  }
  return parts.join("  ");
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
