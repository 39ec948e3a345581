import { UserError } from "../../gpu/errors.ts";
import type { RandomAccess } from "./random_access.ts";
import type { TensorEntry } from "./tensor_file.ts";
import { parseJson } from "../files/parse_json.ts";

/** Bits of one element, for every type that the format knows; few of them can be read. */
const DTYPE_BITS: Readonly<Record<string, number>> = {
  ...{
    F64: 64,
    F32: 32,
    F16: 16,
    BF16: 16,
    C64: 64,
    F8_E4M3: 8,
    F8_E5M2: 8,
    F8_E8M0: 8,
    F8_E4M3FNUZ: 8,
    F8_E5M2FNUZ: 8,
  },
  ...{ I64: 64, I32: 32, I16: 16, I8: 8, U64: 64, U32: 32, U16: 16, U8: 8, BOOL: 8 },
  ...{ F6_E2M3: 6, F6_E3M2: 6, F4: 4 },
};

/** Bytes of one element of the types that are written. */
export const DTYPE_BYTES = { F32: 4, F16: 2, BF16: 2 } as const;

/** The format's own limit. */
const MOST_HEADER_BYTES = 100_000_000;
const MOST_TENSORS = 1_000_000;

/** What a header says. */
interface SafetensorsHeader {
  /** In the order of their bytes. */
  tensors: Map<string, TensorEntry>;
  /** The `__metadata__`. */
  metadata: Record<string, string>;
}

/**
 * Reads and checks the header of a safetensors file: size, encoding, JSON, repeated keys, types, shapes, and
 * that the tensors cover the rest of the file exactly, without overlap or gap.
 *
 * Tensors need not be aligned: old files are not, and reading copies anyway.
 *
 * @throws UserError that says what is wrong
 */
export function readHeader(file: RandomAccess): SafetensorsHeader {
  const refuse = (what: string) =>
    new UserError(
      `Cannot read ${file.label}: ${what}`,
      "the file is damaged, incomplete or not in safetensors format: get it again",
    );
  if (file.size < 8) throw refuse(`it has ${file.size} bytes, a safetensors file has at least 8`);
  const lengthBytes = new Uint8Array(8);
  file.read(0, lengthBytes);
  const length = new DataView(lengthBytes.buffer).getBigUint64(0, true);
  if (length > MOST_HEADER_BYTES || Number(length) > file.size - 8) {
    throw refuse(`its header is said to have ${length} bytes, the file has ${file.size}`);
  }
  const text = new Uint8Array(Number(length));
  file.read(8, text);
  const json = parseHeader(text, refuse);
  const metadata = checkMetadata(json.get("__metadata__"), refuse);
  json.delete("__metadata__");
  if (json.size > MOST_TENSORS) {
    throw refuse(`it lists ${json.size} tensors, at most ${MOST_TENSORS} are possible`);
  }
  const dataBegin = 8 + Number(length);
  const entries = Array.from(json, ([name, value]) => checkEntry(name, value, dataBegin, file.size, refuse));
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  checkCover(entries, dataBegin, file.size, refuse);
  return { tensors: new Map(entries.map((entry) => [entry.name, entry])), metadata };
}

type Refuse = (what: string) => UserError;

function parseHeader(bytes: Uint8Array, refuse: Refuse): Map<string, unknown> {
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    value = parseJson(text, { deepest: 4, containers: 4 * MOST_TENSORS });
  } catch (error) {
    throw refuse(`its header is not JSON (${(error as Error).message.slice(0, 100)})`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw refuse("its header is no JSON object");
  }
  const repeated = repeatedKey(text);
  if (repeated !== undefined) throw refuse(`its header has the key ${repeated} twice`);
  return new Map(Object.entries(value));
}

/** JSON.parse keeps the last of two equal keys without a word: which of them is meant is anybody's guess. */
function repeatedKey(json: string): string | undefined {
  const scopes: Set<string>[] = [];
  let last = "";
  for (let i = 0; i < json.length; i++) {
    const character = json[i];
    if (character === "{" || character === "[") scopes.push(new Set());
    else if (character === "}" || character === "]") scopes.pop();
    else if (character === '"') {
      const start = i;
      while (json[++i] !== '"') if (json[i] === "\\") i++;
      last = json.slice(start, i + 1);
    } else if (character === ":") {
      const key = JSON.parse(last) as string;
      const scope = scopes.at(-1)!;
      if (scope.has(key)) return last.slice(0, 100);
      scope.add(key);
    }
  }
  return undefined;
}

function checkMetadata(value: unknown, refuse: Refuse): Record<string, string> {
  if (value === undefined || value === null) return {};
  const isRecord = typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isRecord || Object.values(value).some((text) => typeof text !== "string")) {
    throw refuse("its __metadata__ is not a map from text to text");
  }
  return value as Record<string, string>;
}

function checkEntry(
  name: string,
  value: unknown,
  dataBegin: number,
  size: number,
  refuse: Refuse,
): TensorEntry {
  const quoted = JSON.stringify(name.slice(0, 100));
  const { dtype, shape, data_offsets: offsets } = (value ?? {}) as Record<string, unknown>;
  if (typeof dtype !== "string" || !Object.hasOwn(DTYPE_BITS, dtype)) {
    const found = JSON.stringify(dtype)?.slice(0, 40);
    throw refuse(
      `tensor ${quoted} has type ${found}, one of ${Object.keys(DTYPE_BITS).join(", ")} is needed`,
    );
  }
  const isCount = (n: unknown) => Number.isSafeInteger(n) && (n as number) >= 0;
  if (!Array.isArray(shape) || !shape.every(isCount)) {
    throw refuse(`tensor ${quoted} has no shape of whole numbers`);
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    throw refuse(`tensor ${quoted} has no pair of data_offsets`);
  }
  const [begin, end] = offsets.map((offset: number) => dataBegin + offset);
  if (begin > end || end > size) {
    throw refuse(`tensor ${quoted} is said to lie at bytes ${begin} to ${end} of ${size}`);
  }
  const elements = (shape as number[]).reduce((product, n) => product * n, 1);
  if (elements * DTYPE_BITS[dtype] !== 8 * (end - begin)) {
    throw refuse(
      `tensor ${quoted} of shape [${shape.slice(0, 8)}] in ${dtype} cannot take ${end - begin} bytes`,
    );
  }
  return { name, dtype, shape, elements, begin, end };
}

function checkCover(entries: readonly TensorEntry[], dataBegin: number, size: number, refuse: Refuse): void {
  let covered = dataBegin;
  for (const { name, begin, end } of entries) {
    const quoted = JSON.stringify(name.slice(0, 100));
    if (begin < covered) throw refuse(`tensor ${quoted} overlaps the one before it`);
    if (begin > covered) {
      throw refuse(`bytes ${covered} to ${begin}, before tensor ${quoted}, belong to no tensor`);
    }
    covered = end;
  }
  if (covered < size) throw refuse(`bytes ${covered} to ${size} belong to no tensor`);
}
