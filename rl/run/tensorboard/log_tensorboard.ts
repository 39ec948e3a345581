import { keepParts, linesOf } from "../../../model/files/lines_of.ts";
import { openOwn } from "../../../model/files/own_file.ts";
import { openPlain } from "../../../model/files/plain_file.ts";
import { UserError } from "../../../gpu/errors.ts";
import type { Run } from "../run.ts";
import { scalarsEvent, settingsEvent, startEvent, stepOfEvent, textEvent, versionEvent } from "./event.ts";
import { frameRecord, recordsOf } from "./record_frame.ts";

type Line = Record<string, unknown>;

/**
 * The same run, which writes what it logs as TensorBoard's events, too, into a file of its own beside the JSON lines.
 *
 * Of a run that goes on, events after its step are cut from the files that are there, as lines are from the logs; the new file begins by
 * saying so, which makes a TensorBoard that has them drop them. What the logs have and no file does, since it was not asked for then, is added.
 *
 * @param settings of the run, for the table of hyperparameters
 * @param step updates that are done
 * @param now milliseconds since 1970
 */
export function logTensorboard(run: Run, settings: Readonly<Line>, step: number, now = Date.now): Run {
  const { folder } = run;
  const told = Math.max(0, ...eventFilesOf(folder).map((path) => cutEvents(path, step)));
  const writer = openEvents(folder, now);
  writer.write(versionEvent(now() / 1000));
  // Of the first file too: readers take the second such event, and later ones, for a restart.
  writer.write(startEvent(now() / 1000, told + 1));
  writer.write(settingsEvent(now() / 1000, plainSettings(settings)));
  for (const event of eventsOfLogs(folder, told, step)) writer.write(event);
  // Rollouts of an update come one by one, before its metrics.
  let waiting: Line[] = [];
  return {
    ...run,
    appendSample(line) {
      run.appendSample(line);
      waiting.push(line);
    },
    appendMetrics(line) {
      run.appendMetrics(line);
      const [seconds, at] = [now() / 1000, line.step as number];
      if (waiting.length > 0) writer.write(samplesEvent(seconds, at, waiting));
      waiting = [];
      writer.write(scalarsEvent(seconds, at, scalarsOf(line)));
    },
    close() {
      writer.close();
      run.close();
    },
  };
}

const EVENTS = "events.out.tfevents.";

const eventFilesOf = (folder: string): string[] =>
  [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => name.startsWith(EVENTS)).sort()
    .map((name) => `${folder}/${name}`);

/** Leaves the whole events of `step` and earlier ones. @returns the last step that is left */
function cutEvents(path: string, step: number): number {
  const kept: { start: number; bytes: number }[] = [];
  let [last, end] = [0, 0];
  {
    using file = openPlain(path);
    for (const { start, bytes, data } of recordsOf(file)) {
      const found = stepOfEvent(data);
      if (found > step) continue;
      kept.push({ start, bytes });
      last = Math.max(last, found);
      end += bytes;
    }
    if (end === file.statSync().size) return last;
  }
  keepParts(path, kept);
  return last;
}

/** A new file, after the names of those that are there. */
function openEvents(folder: string, now: () => number): { write(event: Uint8Array): void; close(): void } {
  const taken = new Set(eventFilesOf(folder));
  let seconds = Math.floor(now() / 1000);
  const nameOf = () => `${folder}/${EVENTS}${String(seconds).padStart(10, "0")}.softcot`;
  while (taken.has(nameOf())) seconds++;
  const path = nameOf();
  const file = openOwn(path, { append: true });
  return {
    write(event) {
      const bytes = frameRecord(event);
      try {
        for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
      } catch (error) {
        throw new UserError(
          `Cannot write ${path}: ${(error as Error).message}`,
          `make room, then --resume --out ${folder}`,
        );
      }
    },
    close: () => file.close(),
  };
}

/** Events of the logs' lines after one step and up to another; when they were is told by the seconds that each took. */
function* eventsOfLogs(folder: string, after: number, upTo: number): Generator<Uint8Array> {
  if (after >= upTo) return;
  const path = `${folder}/metrics.jsonl`;
  const isWanted = ({ step }: Line) => typeof step === "number" && step > after && step <= upTo;
  const seconds = new Map<number, number>();
  for (const line of parsed(path)) if (isWanted(line)) seconds.set(line.step as number, secondsOf(line));
  const ended = (Deno.statSync(path).mtime?.getTime() ?? Date.now()) / 1000;
  let time = ended - [...seconds.values()].reduce((sum, one) => sum + one, 0);
  const times = new Map([...seconds].map(([step, one]) => [step, time += one]));
  for (const line of parsed(path)) {
    const at = times.get(line.step as number);
    if (at !== undefined) yield scalarsEvent(at, line.step as number, scalarsOf(line));
  }
  let group: Line[] = [];
  const flush = () =>
    samplesEvent(times.get(group[0].step as number) ?? ended, group[0].step as number, group);
  for (const line of parsed(`${folder}/samples.jsonl`)) {
    if (!isWanted(line)) continue;
    if (group.length > 0 && group[0].step !== line.step) {
      yield flush();
      group = [];
    }
    group.push(line);
  }
  if (group.length > 0) yield flush();
}

/** The lines of a log that has been cut: each can be read. */
function* parsed(path: string): Generator<Line> {
  for (const { text } of linesOf(path)) yield JSON.parse(text);
}

const secondsOf = ({ time }: Line): number => Number((time as { step?: number } | undefined)?.step ?? 0);

/** The numbers of a line of metrics, by tags: `train/reward`, `rewards/NAME`, `time/step`, `validation/accuracy`. */
function scalarsOf(line: Line): [string, number][] {
  return Object.entries(line).flatMap(([name, value]): [string, number][] => {
    if (name === "step") return [];
    if (name === "validation_accuracy") return [["validation/accuracy", value as number]];
    if (typeof value === "number") return [[`train/${name}`, value]];
    return Object.entries(value ?? {}).map(([inner, one]) => [`${name}/${inner}`, one as number]);
  });
}

const MOST_TEXTS = 8;
const MOST_CHARACTERS = 4000;

/** The first of an update's rollouts as text. */
const samplesEvent = (seconds: number, step: number, lines: readonly Line[]): Uint8Array =>
  textEvent(seconds, step, "samples", lines.slice(0, MOST_TEXTS).map(asMarkdown));

/** All of it as a block of code: a text is never taken for markup. */
function asMarkdown({ question, thinking, forced = "", answer, boxed, gold, reward }: Line): string {
  const text = [
    `${question}`,
    `${thinking}${forced}${answer}`.slice(0, MOST_CHARACTERS),
    `boxed ${boxed ?? "nothing"}, right is ${gold}: reward ${reward}`,
  ];
  return text.join("\n\n").split(/\r\n|[\n\r\v\f\x85\u2028\u2029]/).map((line) => `    ${line}`).join("\n");
}

/** Settings with one value each; lists as texts, what nobody chose left out. */
const plainSettings = (settings: Readonly<Line>): Record<string, string | number | boolean> =>
  Object.fromEntries(
    Object.entries(settings).filter(([, value]) => value !== undefined && value !== null).map((
      [name, value],
    ) => [
      name,
      typeof value === "number" || typeof value === "boolean" ? value : String(value),
    ]),
  );
