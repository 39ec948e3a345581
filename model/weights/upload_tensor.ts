import { UserError } from "../../gpu/errors.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { uploadRows } from "../../gpu/ops/repack/upload_rows.ts";
import { uploadBlocks } from "../../gpu/ops/repack/upload_blocks.ts";
import { BLOCK_BYTES, isQuantised } from "../../gpu/quantised.ts";
import { bytesOfElements } from "../formats/element_types.ts";
import type { TensorFile } from "../formats/tensor_file.ts";
import { refuseNotFinite, refuseStoredNotFinite } from "./refuse_not_finite.ts";
import type { NamedTensor } from "../transformer/named_tensor.ts";

// 4 Mi elements: 16 MiB pieces keep the heap small whatever the model.
const PIECE = 4 * 1024 * 1024;

/** Room for pieces on their way; one serves all tensors of a file. */
interface Pieces {
  floats: Float32Array<ArrayBuffer>;
  stored: Uint8Array<ArrayBuffer>;
}

/** Room for tensors with rows of up to `cols` numbers. */
export function createPieces(cols: number): Pieces {
  const floats = new Float32Array(Math.max(PIECE, cols));
  return { floats, stored: new Uint8Array(floats.buffer) };
}

/**
 * Reads one tensor of a file into its rows of a matrix, in pieces: as it is stored where the matrix has the same type,
 * else by way of f32.
 *
 * @throws UserError if a number is not finite, or too large for f16, or the file ends too early
 */
export function uploadTensor(gpu: Gpu, file: TensorFile, tensor: NamedTensor, pieces: Pieces): void {
  const { name, shape, matrix, row } = tensor;
  const { dtype, cols } = matrix;
  const stored = file.tensors.get(name)!.dtype;
  const raw = isQuantised(dtype) || dtype === "f16" && stored === "F16" && file.readStored !== undefined;
  const rows = shape.reduce((product, n) => product * n, 1) / cols;
  const most = Math.max(1, Math.floor(PIECE / cols));
  for (let at = 0; at < rows; at += most) {
    const count = Math.min(most, rows - at);
    if (raw) {
      const bytes = pieces.stored.subarray(0, bytesOfElements(stored, count * cols));
      file.readStored!(name, at, bytes);
      refuseStoredNotFinite(bytes, stored, name, "load");
      if (!isQuantised(dtype)) {
        uploadRows(gpu, matrix, row + at, new Float16Array(bytes.buffer, 0, count * cols));
      } else {uploadBlocks(
          gpu,
          matrix,
          row + at,
          dtype === "q8_0" && stored === "Q4_0" ? widened(bytes) : bytes,
        );}
    } else {
      const piece = pieces.floats.subarray(0, count * cols);
      file.read(name, at * cols, piece);
      refuseNotFinite(piece, name, "load");
      if (dtype === "f16") refuseTooLarge(piece, name);
      uploadRows(gpu, matrix, row + at, piece);
    }
  }
}

// What rounds to 65504, the largest f16.
const MOST = 65520;

function refuseTooLarge(piece: Float32Array, name: string): void {
  for (const value of piece) {
    if (Math.abs(value) < MOST) continue;
    throw new UserError(
      `Cannot hold ${name} in f16: it has a weight of ${value}, f16 ends at 65504`,
      "leave the weights in f32: --weights f32",
    );
  }
}

/** Blocks of Q4_0 as those of Q8_0 with the same scale. */
function widened(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const [from, to] = [BLOCK_BYTES.q4_0, BLOCK_BYTES.q8_0];
  const blocks = bytes.length / from;
  const out = new Uint8Array(blocks * to);
  for (let b = 0; b < blocks; b++) {
    out.set(bytes.subarray(b * from, b * from + 2), b * to);
    for (let i = 0; i < 16; i++) {
      const pair = bytes[b * from + 2 + i];
      out[b * to + 2 + i] = (pair & 15) - 8;
      out[b * to + 18 + i] = (pair >> 4) - 8;
    }
  }
  return out;
}
