import type { Choosable } from "../../../web/data/select_rollouts.ts";
import type { BlockMaker } from "./file_index.ts";
import { hashOf, keyTable, numberIn, scanRecord, textIn } from "./scan_record.ts";

/** What a block of rollouts tells without its rows. */
export interface RolloutExtra {
  /** Names that rows have by number, those that no block before this one had. */
  names: string[];
  /** Of its rows; null of evaluations. */
  firstStep: number | null;
  lastStep: number | null;
  /** Whether a record has what its steps mixed. */
  mixtures: boolean;
}

/** The rows of a block, by column; `names` are those of all blocks. */
export interface RolloutRows {
  offset: Float64Array;
  length: Uint32Array;
  /** Hash of the question's id. */
  question: Float64Array;
  reward: Float64Array;
  /** {@link NONE} of evaluations. */
  step: Uint32Array;
  group: Uint32Array;
  sample: Uint32Array;
  mode: Uint16Array;
  end: Uint16Array;
  rule: Uint16Array;
  flags: Uint8Array;
}

/** Stands for no number. */
export const NONE = 0xffffffff;

/** Bits of `flags`. */
const FLAG = { equal: 1, refilled: 2, correct: 4, evaluation: 8, grouped: 16 } as const;

const COLUMNS = [
  ...[["offset", Float64Array], ["question", Float64Array], ["reward", Float64Array]] as const,
  ...[["length", Uint32Array], ["step", Uint32Array], ["group", Uint32Array], [
    "sample",
    Uint32Array,
  ]] as const,
  ...[["mode", Uint16Array], ["end", Uint16Array], ["rule", Uint16Array], ["flags", Uint8Array]] as const,
] as const;

/** Bytes of a row in all columns. */
const ROW = COLUMNS.reduce((sum, [, type]) => sum + type.BYTES_PER_ELEMENT, 0);

/** The columns of a block; undefined where its bytes are no such columns. */
export function rolloutRows(body: Uint8Array<ArrayBuffer>, lines: number): RolloutRows | undefined {
  if (body.length !== lines * ROW) return undefined;
  const bytes = body.byteOffset === 0 ? body.buffer : body.slice().buffer;
  let at = 0;
  return Object.fromEntries(COLUMNS.map(([name, Column]) => {
    const column = new Column(bytes, at, lines);
    at += lines * Column.BYTES_PER_ELEMENT;
    return [name, column];
  })) as unknown as RolloutRows;
}

/** A row as it is chosen by. */
export function choosable(rows: RolloutRows, i: number, names: readonly string[], way: string): Choosable {
  const flags = rows.flags[i];
  const [step, mode] = [rows.step[i] === NONE ? null : rows.step[i], nameAt(names, rows.mode[i]) ?? way];
  return {
    step,
    mode,
    group: (flags & FLAG.evaluation) !== 0
      ? `${mode}.${rows.group[i]}`
      : (flags & FLAG.grouped) !== 0
      ? `${step}.${rows.group[i]}`
      : "",
    sample: rows.sample[i],
    reward: rows.reward[i],
    equal: (flags & FLAG.equal) !== 0,
    refilled: (flags & FLAG.refilled) !== 0,
    correct: (flags & FLAG.correct) !== 0,
    rule: nameAt(names, rows.rule[i]) ?? null,
    end: nameAt(names, rows.end[i]) ?? "",
  };
}

/** Names have numbers from 1 on; 0 is none. */
const nameAt = (names: readonly string[], code: number): string | undefined =>
  code === 0 ? undefined : names[code - 1];

const KEYS = keyTable([
  ...["step", "index", "group", "id", "question", "sample", "reward", "mode", "way", "thinking_end", "rule"],
  ...["equal", "refilled", "correct", "mixtures"],
]);

/** Names that are told apart: more than softcot has, so that a file of other things cannot fill the memory. */
const MOST_NAMES = 1000;
/** Characters of a name at most. */
const LONGEST_NAME = 200;
/** What a row is before anything is known of it. */
const EMPTY = {
  ...{ step: NONE, index: NONE, group: NONE, sample: 0, reward: 0, id: NaN, question: NaN },
  ...{ mode: 0, way: 0, end: 0, rule: 0, equal: false, refilled: false, mixtures: false },
  ...{ correct: undefined as boolean | undefined },
};

/** Gathers rows of rollouts, and `names` that they have by number. */
export function rolloutMaker(): BlockMaker<RolloutExtra> & { readonly names: readonly string[] } {
  const names: string[] = [];
  const codes = new Map<number, number>();
  let [known, lines, room] = [0, 0, 256];
  let rows = rolloutRows(new Uint8Array(room * ROW), room)!;
  let [firstStep, lastStep, mixtures] = [NONE, NONE, false];
  const row = { ...EMPTY };

  const codeOf = (bytes: Uint8Array, start: number, end: number): number => {
    if (end - start < 3 || end - start > LONGEST_NAME) return 0;
    const hash = hashOf(bytes, start, end);
    const code = codes.get(hash);
    if (code !== undefined) return code;
    const name = stringIn(bytes, start, end);
    if (name === undefined || names.length >= MOST_NAMES) return 0;
    codes.set(hash, names.push(name));
    return names.length;
  };
  const take = (key: string, bytes: Uint8Array, start: number, end: number) => {
    const isText = bytes[start] === 0x22;
    const count = () => isText ? NONE : wholeIn(bytes, start, end);
    const isTrue = () => bytes[start] === 0x74;
    switch (key) {
      case "step":
        return row.step = count();
      case "index":
        return row.index = count();
      case "group":
        return row.group = count();
      case "sample": {
        const sample = count();
        return row.sample = sample === NONE ? 0 : sample;
      }
      case "reward":
        return row.reward = isText ? 0 : numberIn(bytes, start, end) || 0;
      case "id":
        return row.id = isText && end - start > 2 ? hashOf(bytes, start + 1, end - 1) : NaN;
      case "question":
        return row.question = isText ? hashOf(bytes, start + 1, end - 1) : NaN;
      case "mode":
        return row.mode = isText ? codeOf(bytes, start, end) : 0;
      case "way":
        return row.way = isText ? codeOf(bytes, start, end) : 0;
      case "thinking_end":
        return row.end = isText ? codeOf(bytes, start, end) : 0;
      case "rule":
        return row.rule = isText ? codeOf(bytes, start, end) : 0;
      case "equal":
        return row.equal = isTrue();
      case "refilled":
        return row.refilled = isTrue();
      case "correct":
        return row.correct = isTrue();
      case "mixtures":
        return row.mixtures = bytes[start] === 0x5b;
    }
  };
  const grow = () => {
    const larger = rolloutRows(new Uint8Array(2 * room * ROW), 2 * room)!;
    for (const [name] of COLUMNS) larger[name].set(rows[name]);
    [rows, room] = [larger, 2 * room];
  };
  return {
    names,
    take(bytes, start, end, offset) {
      Object.assign(row, EMPTY);
      if (!scanRecord(bytes, start, end, KEYS, take)) return false;
      if (lines === room) grow();
      rows.offset[lines] = offset;
      rows.length[lines] = end - start;
      rows.question[lines] = Number.isNaN(row.id) ? row.question : row.id;
      rows.reward[lines] = row.reward;
      rows.step[lines] = row.step;
      rows.group[lines] = row.index === NONE ? row.group : row.index;
      rows.sample[lines] = row.sample;
      rows.mode[lines] = row.mode || row.way;
      rows.end[lines] = row.end;
      rows.rule[lines] = row.rule;
      rows.flags[lines] = (row.equal ? FLAG.equal : 0) | (row.refilled ? FLAG.refilled : 0) |
        (row.correct ?? row.reward === 100 ? FLAG.correct : 0) |
        (row.index === NONE ? 0 : FLAG.evaluation) | (row.group === NONE ? 0 : FLAG.grouped);
      if (row.step !== NONE) {
        firstStep = firstStep === NONE ? row.step : Math.min(firstStep, row.step);
        lastStep = lastStep === NONE ? row.step : Math.max(lastStep, row.step);
      }
      mixtures ||= row.mixtures;
      lines++;
      return true;
    },
    restore({ names: more }) {
      if (!Array.isArray(more)) return;
      for (const name of more.slice(0, MOST_NAMES - names.length).map(String)) {
        const bytes = new TextEncoder().encode(JSON.stringify(name));
        codes.set(hashOf(bytes, 0, bytes.length), names.push(name));
      }
      known = names.length;
    },
    extra: () => ({
      names: names.slice(known),
      firstStep: firstStep === NONE ? null : firstStep,
      lastStep: lastStep === NONE ? null : lastStep,
      mixtures,
    }),
    isMarked: (extra) => extra.mixtures === true,
    body() {
      const body = new Uint8Array(lines * ROW);
      const packed = rolloutRows(body, lines)!;
      for (const [name] of COLUMNS) packed[name].set(rows[name].subarray(0, lines));
      return body;
    },
    empty() {
      known = names.length;
      [lines, firstStep, lastStep, mixtures] = [0, NONE, NONE, false];
    },
    reset() {
      names.length = 0;
      codes.clear();
      [known, lines, firstStep, lastStep, mixtures] = [0, 0, NONE, NONE, false];
    },
  };
}

/** A whole number from 0 on that 32 bits hold, but for the last; {@link NONE} if there is another. */
function wholeIn(bytes: Uint8Array, start: number, end: number): number {
  const value = numberIn(bytes, start, end);
  return Number.isInteger(value) && value >= 0 && value < NONE ? value : NONE;
}

function stringIn(bytes: Uint8Array, start: number, end: number): string | undefined {
  try {
    const value = JSON.parse(textIn(bytes, start, end));
    return typeof value === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}
