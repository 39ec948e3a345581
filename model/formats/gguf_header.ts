import { UserError } from "../../gpu/errors.ts";
import { ELEMENT_TYPES } from "./element_types.ts";
import { type HeaderReader, headerReader, type Refuse } from "./header_reader.ts";
import type { RandomAccess } from "./random_access.ts";
import type { TensorEntry } from "./tensor_file.ts";

/** Names of ggml's types by number; those that ended long ago are left out. */
const GGML_TYPES: Readonly<Record<number, string>> = {
  ...{ 0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 6: "Q5_0", 7: "Q5_1", 8: "Q8_0", 9: "Q8_1", 10: "Q2_K" },
  ...{ 11: "Q3_K", 12: "Q4_K", 13: "Q5_K", 14: "Q6_K", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS" },
  ...{ 18: "IQ3_XXS", 19: "IQ1_S", 20: "IQ4_NL", 21: "IQ3_S", 22: "IQ2_S", 23: "IQ4_XS", 24: "I8" },
  ...{ 25: "I16", 26: "I32", 27: "I64", 28: "F64", 29: "IQ1_M", 30: "BF16", 34: "TQ1_0", 35: "TQ2_0" },
  ...{ 39: "MXFP4" },
};

// Far beyond any model, and small enough that a hostile file cannot fill the memory.
const MOST_TENSORS = 1_000_000;
const MOST_KEYS = 100_000;
const MOST_VALUES = 8_000_000;
const MOST_KEY_BYTES = 65_535;
const MOST_DIMENSIONS = 4;
const MOST_DEPTH = 4;
const DEFAULT_ALIGNMENT = 32;

/** A value of the metadata. Integers are numbers; those of 64 bits beyond 2^53 are bigints. */
export type GgufValue = string | number | bigint | boolean | GgufValue[];

/** What a header says. */
interface GgufHeader {
  version: number;
  metadata: Map<string, GgufValue>;
  /** In the order of their bytes. */
  tensors: Map<string, TensorEntry>;
}

/**
 * Reads and checks the header of a GGUF file: every count and length against what is left of the file, every tensor's
 * type, shape and place, and that no two overlap.
 *
 * @throws UserError that says what is wrong
 */
export function readGgufHeader(file: RandomAccess): GgufHeader {
  const refuse: Refuse = (what, hint = DAMAGED) => new UserError(`Cannot read ${file.label}: ${what}`, hint);
  if (file.size < 24) throw refuse(`it has ${file.size} bytes, a GGUF file has at least 24`);
  const reader = headerReader(file, refuse);
  checkMagic(reader.bytes(4), refuse);
  const version = reader.u32();
  checkVersion(version, refuse);
  // The least that a tensor takes is a name of no bytes, the number of dimensions, type and offset; a key, one value.
  const tensorCount = reader.count("tensors", 24, MOST_TENSORS);
  const keyCount = reader.count("keys of metadata", 13, MOST_KEYS);
  const metadata = readMetadata(reader, keyCount, refuse);
  const alignment = alignmentOf(metadata, refuse);
  const infos = Array.from({ length: tensorCount }, () => readInfo(reader, refuse));
  const dataBegin = Math.ceil(reader.position() / alignment) * alignment;
  const entries = infos.map((info) => place(info, dataBegin, alignment, file.size, refuse));
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  const tensors = new Map<string, TensorEntry>();
  let before: TensorEntry | undefined;
  for (const entry of entries) {
    if (tensors.has(entry.name)) throw refuse(`it has two tensors ${show(entry.name)}`);
    if (before && entry.begin < before.end) {
      throw refuse(`tensor ${show(entry.name)} overlaps ${show(before.name)}`);
    }
    tensors.set(entry.name, entry);
    before = entry;
  }
  return { version, metadata, tensors };
}

const DAMAGED = "the file is damaged, incomplete or not in GGUF format: get it again";

const show = (text: string) => JSON.stringify(text.slice(0, 100));

function checkMagic(magic: Uint8Array, refuse: Refuse): void {
  if (String.fromCharCode(...magic) === "GGUF") return;
  throw refuse(`it begins with ${show(String.fromCharCode(...magic))}, a GGUF file begins with "GGUF"`);
}

function checkVersion(version: number, refuse: Refuse): void {
  if (version === 2 || version === 3) return;
  if ((version & 0xffff) === 0 && version !== 0) {
    throw refuse(
      "it is big-endian, a little-endian file is needed",
      "convert it, or get a little-endian copy",
    );
  }
  throw refuse(`it is of GGUF version ${version}, version 2 or 3 is needed`);
}

type Info = { name: string; shape: number[]; type: number; offset: number };

function readMetadata(reader: HeaderReader, count: number, refuse: Refuse): Map<string, GgufValue> {
  const metadata = new Map<string, GgufValue>();
  const budget = { values: MOST_VALUES };
  for (let i = 0; i < count; i++) {
    const key = reader.text("a key of metadata", MOST_KEY_BYTES);
    if (metadata.has(key)) throw refuse(`its metadata has the key ${show(key)} twice`);
    metadata.set(key, readValue(reader, reader.u32(), key, 0, budget, refuse));
  }
  return metadata;
}

const STRING = 8;
const ARRAY = 9;

/** Reader and least size of each type of value. */
const VALUE_TYPES: Readonly<Record<number, { bytes: number; read(reader: HeaderReader): number | bigint }>> =
  {
    0: { bytes: 1, read: (reader) => reader.u8() },
    1: { bytes: 1, read: (reader) => reader.u8() << 24 >> 24 },
    2: { bytes: 2, read: (reader) => reader.u16() },
    3: { bytes: 2, read: (reader) => reader.u16() << 16 >> 16 },
    4: { bytes: 4, read: (reader) => reader.u32() },
    5: { bytes: 4, read: (reader) => reader.u32() | 0 },
    6: { bytes: 4, read: (reader) => reader.f32() },
    10: { bytes: 8, read: (reader) => narrow(reader.u64()) },
    11: { bytes: 8, read: (reader) => narrow(BigInt.asIntN(64, reader.u64())) },
    12: { bytes: 8, read: (reader) => reader.f64() },
  };

const narrow = (value: bigint) => {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
};

function readValue(
  reader: HeaderReader,
  type: number,
  key: string,
  depth: number,
  budget: { values: number },
  refuse: Refuse,
): GgufValue {
  if (type === STRING) return reader.text(`the value of ${show(key)}`);
  if (type === ARRAY) return readArray(reader, key, depth + 1, budget, refuse);
  if (type === 7) return readBoolean(reader.u8(), key, refuse);
  if (Object.hasOwn(VALUE_TYPES, type)) return VALUE_TYPES[type].read(reader);
  throw refuse(`the value of ${show(key)} is of type ${type}, 0 to 12 are possible`);
}

function readBoolean(byte: number, key: string, refuse: Refuse): boolean {
  if (byte > 1) throw refuse(`the value of ${show(key)} is a truth of ${byte}, 0 or 1 is needed`);
  return byte === 1;
}

function readArray(
  reader: HeaderReader,
  key: string,
  depth: number,
  budget: { values: number },
  refuse: Refuse,
): GgufValue[] {
  if (depth > MOST_DEPTH) {
    throw refuse(`the value of ${show(key)} nests more than ${MOST_DEPTH} arrays`);
  }
  const type = reader.u32();
  // A string takes at least the 8 bytes of its length, an array 12.
  const least = type === STRING ? 8 : type === ARRAY ? 12 : type === 7 ? 1 : VALUE_TYPES[type]?.bytes ?? 1;
  const count = reader.count(`values of ${show(key)}`, least, budget.values);
  budget.values -= count;
  const values: GgufValue[] = [];
  for (let i = 0; i < count; i++) values.push(readValue(reader, type, key, depth, budget, refuse));
  return values;
}

function alignmentOf(metadata: Map<string, GgufValue>, refuse: Refuse): number {
  const alignment = metadata.get("general.alignment") ?? DEFAULT_ALIGNMENT;
  const isPower = typeof alignment === "number" && Number.isInteger(Math.log2(alignment));
  if (isPower && alignment >= 1 && alignment <= 2 ** 20) return alignment;
  throw refuse(`general.alignment is ${String(alignment).slice(0, 40)}, a power of 2 up to 2^20 is needed`);
}

function readInfo(reader: HeaderReader, refuse: Refuse): Info {
  const name = reader.text("the name of a tensor", MOST_KEY_BYTES);
  const dimensions = reader.u32();
  if (dimensions > MOST_DIMENSIONS) {
    throw refuse(
      `tensor ${show(name)} is said to have ${dimensions} dimensions, ${MOST_DIMENSIONS} are possible`,
    );
  }
  const shape = Array.from({ length: dimensions }, () => reader.whole(`a dimension of tensor ${show(name)}`));
  const type = reader.u32();
  return { name, shape: shape.reverse(), type, offset: reader.whole(`the place of tensor ${show(name)}`) };
}

function place(
  { name, shape, type, offset }: Info,
  dataBegin: number,
  alignment: number,
  size: number,
  refuse: Refuse,
): TensorEntry {
  const dtype = GGML_TYPES[type] ?? `type ${type}`;
  const stored = Object.hasOwn(ELEMENT_TYPES, dtype) ? ELEMENT_TYPES[dtype] : undefined;
  if (!stored) {
    const known = Object.keys(ELEMENT_TYPES).join(", ");
    throw refuse(
      `tensor ${show(name)} is stored as ${dtype}, one of ${known} is needed`,
      "get the model in another quantisation, such as Q8_0 or Q4_K_M",
    );
  }
  const elements = shape.reduce((product, n) => product * n, 1);
  const row = shape.at(-1) ?? 1;
  if (row % stored.blockElements !== 0) {
    throw refuse(`tensor ${show(name)} has rows of ${row} in blocks of ${stored.blockElements} (${dtype})`);
  }
  const bytes = elements / stored.blockElements * stored.blockBytes;
  // Beyond 2^53 products are rounded, but far larger than any file.
  if (offset % alignment !== 0) {
    throw refuse(`tensor ${show(name)} begins at byte ${offset}, a multiple of ${alignment} is needed`);
  }
  if (!(dataBegin + offset + bytes <= size)) {
    throw refuse(
      `tensor ${show(name)} [${shape.join(", ")}] takes ${bytes} bytes from ${dataBegin + offset} on, ` +
        `the file has ${size}`,
    );
  }
  return { name, dtype, shape, elements, begin: dataBegin + offset, end: dataBegin + offset + bytes };
}
