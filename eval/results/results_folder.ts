import { UserError } from "../../gpu/errors.ts";
import { isLeftBehind } from "../../model/files/left_behind.ts";
import { holdLock } from "../../model/files/own_file.ts";
import { writeJson, writeWhole } from "../../model/files/write_whole.ts";
import { compareSettings, type EvaluationSettings } from "./compare_settings.ts";
import { openRecordFile, type RecordFile } from "./record_file.ts";
import { readPlainText } from "../../model/files/plain_file.ts";

/**
 * Where an evaluation keeps its results:
 *
 *     settings.json        what was asked for
 *     TASK-MODE.jsonl      every rollout, as it ends; in the order of the questions once all have
 *     report.json          what it came to, once it is complete
 */
export interface ResultsFolder extends Disposable {
  /** The folder. */
  readonly path: string;
  /** The records of one task, in one mode where it has modes. */
  records<T extends object>(name: string): RecordFile<T>;
  /** Writes the report: the evaluation is complete. */
  finish(report: unknown): void;
}

/**
 * Refuses a place that is no folder of results, or cannot become one: to be called before anything takes time.
 *
 * @throws UserError
 */
export function checkResultsPlace(path: string): void {
  let entries: string[];
  try {
    entries = [...Deno.readDirSync(path)].map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    const found = error instanceof Deno.errors.NotADirectory ? "it is a file" : (error as Error).message;
    throw new UserError(`Cannot keep results in ${path}: ${found}, a folder is needed`, OTHER_PLACE);
  }
  if (entries.includes(SETTINGS)) return;
  // One that was killed while it began left what is none.
  entries = entries.filter((name) => !isLeftBehind(name, SETTINGS));
  if (entries.length === 0) return;
  throw new UserError(
    `Cannot keep results in ${path}: it holds other things (${
      entries.sort().slice(0, 3).join(", ")
    }), an empty ` +
      "folder or one of results is needed",
    OTHER_PLACE,
  );
}

const SETTINGS = "settings.json";
const OTHER_PLACE = "choose another folder with --out";

/**
 * Opens a folder of results, or makes it. One whose settings are these is gone on with, and so is one that has less: more questions, samples, modes
 * and tasks are additions to what is kept.
 *
 * @throws UserError if it was made with other settings, naming them, or another process is at work in it
 */
export function openResults(path: string, settings: EvaluationSettings): ResultsFolder {
  checkResultsPlace(path);
  const text = JSON.stringify(settings, null, 2) + "\n";
  const kept = readSettings(path);
  const grows = kept !== null && compareSettings(path, kept, JSON.parse(text));
  if (!kept) {
    try {
      Deno.mkdirSync(path, { recursive: true });
      writeWhole(`${path}/${SETTINGS}`, text);
    } catch (error) {
      throw new UserError(`Cannot keep results in ${path}: ${(error as Error).message}`, OTHER_PLACE);
    }
  }
  let lock = lockSettings(path);
  if (grows) {
    using _old = lock;
    writeWhole(`${path}/${SETTINGS}`, text);
    lock = lockSettings(path);
  }
  return {
    path,
    [Symbol.dispose]: () => lock.close(),
    records: (name) => openRecordFile(`${path}/${name.replaceAll(/[^\w.-]+/g, "_")}.jsonl`),
    finish: (report) => writeJson(`${path}/report.json`, report),
  };
}

function lockSettings(path: string) {
  return holdLock(
    Deno.openSync(`${path}/${SETTINGS}`),
    new UserError(
      `Cannot go on in ${path}: another evaluation is at work there`,
      "wait for its end, or choose another folder with --out",
    ),
  );
}

function readSettings(path: string): EvaluationSettings | null {
  let text: string;
  try {
    text = readPlainText(`${path}/${SETTINGS}`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw new UserError(`Cannot go on in ${path}: its ${SETTINGS}: ${(error as Error).message}`, OTHER_PLACE);
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new UserError(`Cannot go on in ${path}: its ${SETTINGS} is damaged`, OTHER_PLACE);
  }
}
