import { join } from "node:path";
import { ALL_MODES } from "../../eval/modes.ts";
import { type FileIndex, fileIndex } from "./index/file_index.ts";
import { type MetricsExtra, metricsMaker } from "./index/metrics_rows.ts";
import { type RolloutExtra, rolloutMaker } from "./index/rollout_rows.ts";
import { hashOfText } from "./index/scan_record.ts";
import { type FoundPlace, isRecords } from "./find_places.ts";
import { fresh, recordIn } from "./read_within.ts";
import { namesIn } from "../../model/files/on_disk.ts";

/** A place with the indexes of its files. */
export interface OpenPlace extends Disposable {
  found: FoundPlace;
  /** Of metrics.jsonl; undefined but of a run. */
  metrics: FileIndex<MetricsExtra> | undefined;
  /** By their codes: tasks apart, modes in their order. */
  rollouts: readonly RolloutFile[];
  settings(): Record<string, unknown>;
  /** What another file of settings or records holds; undefined where it is not there, or damaged. */
  record(path: string): Record<string, unknown> | undefined;
  /** How its rollouts think, where they do not say. */
  way(): string;
  /** Takes files in that have come since. */
  look(): void;
  /** Another text whenever an answer that is made of its files may be another. */
  stamp(): string;
  /** Whether a file has changed since it was read. */
  changed(): boolean;
  /** Reads on until this time (of performance.now()); returns whether there is more to read. */
  advance(until: number): boolean;
}

/** A file of rollouts with its index. */
export interface RolloutFile {
  /** Rows of the file are places `code` 2^32 + row. */
  code: number;
  index: FileIndex<RolloutExtra>;
  /** What its rows name by numbers. */
  names: readonly string[];
}

/** Rows of a file at most: places are numbers that JavaScript holds exactly. */
export const MOST_ROWS = 2 ** 32;
/** Codes of files in all, and of those of a task. */
const [CODES, MODES] = [2 ** 20, 2 ** 5];

/** Opens a place; nothing is read before `advance`. */
export function openPlace(found: FoundPlace, writable: boolean): OpenPlace {
  const { kind, path, root } = found;
  const indexed = (name: string, kind: string) => ({
    root: root.path,
    path: join(path, name),
    kind,
    writable,
  });
  const metrics = kind === "run"
    ? fileIndex(indexed("metrics.jsonl", "softcot metrics 1"), metricsMaker())
    : undefined;
  const rollouts: RolloutFile[] = [];
  const names = new Set<string>();
  const add = (name: string) => {
    if (names.has(name)) return;
    names.add(name);
    const maker = rolloutMaker();
    rollouts.push({
      code: kind === "run" ? 0 : freeCode(name, rollouts),
      index: fileIndex(indexed(name, "softcot rollouts 1"), maker),
      names: maker.names,
    });
    rollouts.sort((a, b) => a.code - b.code);
  };
  const records = new Map<string, () => Record<string, unknown> | undefined>();
  const record = (path: string) => {
    const read = records.get(path) ?? fresh(path, () => recordIn(root.path, path));
    records.set(path, read);
    return read();
  };
  const settings = () => record(join(path, SETTINGS[kind])) ?? {};
  const look = () => {
    if (kind === "run") add("samples.jsonl");
    if (kind === "evaluation") namesIn(path).filter(isRecords).sort().forEach(add);
  };
  look();
  const all = () => [...metrics ? [metrics] : [], ...rollouts.map(({ index }) => index)];
  return {
    ...{ found, metrics, rollouts, settings, record, look },
    way: () => String(settings().thinking ?? ""),
    stamp: () => all().map(({ version, size, updated }) => `${version} ${size} ${updated}`).join(),
    changed: () => all().some((one) => one.changed()),
    advance(until) {
      let isMore = false;
      for (const index of all()) {
        if (performance.now() < until) isMore = index.advance(until) || isMore;
        else isMore = true;
      }
      return isMore;
    },
    [Symbol.dispose]: () => all().forEach((one) => one[Symbol.dispose]()),
  };
}

const SETTINGS = { run: "config.toml", evaluation: "settings.json", sweep: "sweep.json" } as const;

/** Of the name, so that a place is the same whatever files come beside it. */
function freeCode(name: string, others: readonly RolloutFile[]): number {
  const mode = ALL_MODES.findIndex((mode) => name.endsWith(`-${mode}.jsonl`));
  const task = name.slice(0, -`-${ALL_MODES[mode]}.jsonl`.length);
  let code = hashOfText(task) % (CODES / MODES) * MODES + mode;
  while (others.some((one) => one.code === code)) code = (code + MODES) % CODES;
  return code;
}
