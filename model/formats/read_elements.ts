import { UserError } from "../../gpu/errors.ts";
import { ELEMENT_TYPES, type ElementType, elementType } from "./element_types.ts";
import type { RandomAccess } from "./random_access.ts";
import type { TensorEntry } from "./tensor_file.ts";

/** Bytes on their way to f32; shared, since every read ends before the next begins. */
let scratch: Uint8Array<ArrayBuffer> | undefined;
/** One block, where a range begins or ends within it. */
const partial = new Float32Array(256);
const SCRATCH_BYTES = 2 ** 20;

/**
 * Reads elements `from` to `from + out.length` of a tensor, converted to f32; blocks may be cut anywhere.
 *
 * @throws UserError if its type is not one that can be read, or the file ends too early
 */
export function readElements(
  file: RandomAccess,
  entry: TensorEntry,
  from: number,
  out: Float32Array<ArrayBuffer>,
): void {
  const { name, elements, begin } = entry;
  if (from < 0 || from + out.length > elements) {
    throw new Error(`Cannot read elements ${from} to ${from + out.length} of ${name}: it has ${elements}`);
  }
  const type = typeOf(file, entry);
  if (entry.dtype === "F32") {
    file.read(begin + 4 * from, new Uint8Array(out.buffer, out.byteOffset, out.byteLength));
    return;
  }
  const { blockElements } = type;
  for (let done = 0; done < out.length;) {
    const [block, within] = [Math.floor((from + done) / blockElements), (from + done) % blockElements];
    const left = out.length - done;
    if (within > 0 || left < blockElements) {
      readBlocks(file, begin, type, block, partial.subarray(0, blockElements));
      const part = partial.subarray(within, Math.min(blockElements, within + left));
      out.set(part, done);
      done += part.length;
    } else {
      const whole = left - left % blockElements;
      readBlocks(file, begin, type, block, out.subarray(done, done + whole));
      done += whole;
    }
  }
}

/**
 * Reads rows as they are stored, from `row` on, until `out` is full: whole rows of the last dimension.
 *
 * @throws UserError if its type is not one that can be read, or the file ends too early
 */
export function readStoredRows(
  file: RandomAccess,
  entry: TensorEntry,
  row: number,
  out: Uint8Array<ArrayBuffer>,
): void {
  const { blockElements, blockBytes } = typeOf(file, entry);
  const rowBytes = (entry.shape.at(-1) ?? 1) / blockElements * blockBytes;
  const begin = entry.begin + row * rowBytes;
  if (row < 0 || out.length % rowBytes !== 0 || begin + out.length > entry.end) {
    throw new Error(
      `Cannot read ${out.length} bytes of ${entry.name} from row ${row} on: [${entry.shape}], rows of ${rowBytes}`,
    );
  }
  file.read(begin, out);
}

function typeOf(file: RandomAccess, { name, dtype }: TensorEntry): ElementType {
  const type = elementType(dtype);
  if (type) return type;
  throw unreadableType(name, dtype, file.label);
}

/** What to say of a tensor whose numbers are wanted, and are of another type. */
export function unreadableType(name: string, dtype: string, where: string): UserError {
  return new UserError(
    `Cannot read ${name} of ${where}: it is stored as ${dtype}, one of ${
      Object.keys(ELEMENT_TYPES).join(", ")
    } is needed`,
    "get the model with weights of F32, F16 or BF16, or as GGUF in another quantisation such as Q8_0 or Q4_K_M",
  );
}

function readBlocks(
  file: RandomAccess,
  begin: number,
  { blockElements, blockBytes, toF32 }: ElementType,
  first: number,
  out: Float32Array<ArrayBuffer>,
): void {
  scratch ??= new Uint8Array(SCRATCH_BYTES);
  const most = Math.floor(SCRATCH_BYTES / blockBytes);
  for (let done = 0; done < out.length;) {
    const blocks = Math.min(most, (out.length - done) / blockElements);
    const at = begin + (first + done / blockElements) * blockBytes;
    file.read(at, scratch.subarray(0, blocks * blockBytes));
    toF32(scratch, blocks, out, done);
    done += blocks * blockElements;
  }
}
