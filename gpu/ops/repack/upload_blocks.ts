import type { Gpu } from "../../gpu.ts";
import { grid, run } from "../../kernel.ts";
import type { Matrix } from "../../matrix.ts";
import { INTERLEAVE, paddedCols, PANEL_BITS, weightIndex } from "../../panels.ts";
import { BLOCK, BLOCK_BYTES, isQuantised, scaleIndex } from "../../quantised.ts";
import repackCode from "./repack.wgsl" with { type: "text" };

const TYPES = { q8_0: 0, q4_0: 1, q4_1: 2 };
// Raw bytes wait on the device for as long as one dispatch.
const PIECE = 8 * 1024 * 1024;

/**
 * Writes whole rows, starting at `row`, from a GGUF file's blocks as they are; they are put into order on the device.
 * @throws Error if the matrix is not quantised, or the bytes are not those of whole rows within it
 */
export function uploadBlocks(gpu: Gpu, matrix: Matrix, row: number, bytes: Uint8Array<ArrayBuffer>): void {
  const { dtype, cols, chunkRows, scales } = matrix;
  if (!isQuantised(dtype) || !scales) {
    throw new Error(`Cannot write blocks to ${matrix.label}: it is ${dtype}`);
  }
  const rowBytes = cols / BLOCK * BLOCK_BYTES[dtype];
  const total = bytes.length / rowBytes;
  if (!Number.isInteger(total) || row + total > matrix.rows) {
    throw new Error(
      `Cannot write ${bytes.length} bytes to ${matrix.label} from row ${row}: a row takes ${rowBytes}, it has ${matrix.rows}`,
    );
  }
  const most = Math.max(1, Math.floor(Math.min(PIECE, gpu.maxBinding) / rowBytes));
  for (let done = 0; done < total;) {
    const at = row + done;
    const chunk = Math.floor(at / chunkRows);
    const count = Math.min(most, chunkRows - at % chunkRows, total - done);
    const part = bytes.subarray(done * rowBytes, (done + count) * rowBytes);
    const padded = new Uint8Array(Math.ceil(part.length / 4) * 4);
    padded.set(part);
    using scratch = gpu.arena.scratch();
    const source = scratch.u32([padded.length / 4], "blocks");
    gpu.commands.upload(source, padded);
    const blocks = cols / BLOCK;
    const row0 = at % chunkRows;
    const invocations = (Math.ceil((row0 + count) / 2) - Math.floor(row0 / 2)) * blocks;
    const constants = `const S = ${gpu.subgroupSize}u;\nconst TYPE = ${TYPES[dtype]}u;\n` +
      `const BLOCK_BYTES = ${BLOCK_BYTES[dtype]}u;\nconst BITS = ${
        PANEL_BITS[dtype]
      }u;\nconst MINIMA = ${INTERLEAVE}u;\n`;
    const places = `fn weightIndex(row: u32, col: u32) -> u32 { return ${
      weightIndex(dtype, "row", "col", "p.width")
    }; }
fn scaleIndex(row: u32, block: u32) -> u32 { return ${scaleIndex(dtype, "row", "block", "p.width")}; }\n`;
    run(
      gpu,
      { label: `repack_${dtype}`, code: () => constants + places + repackCode },
      [source, matrix.chunks[chunk], scales[chunk]],
      { rows: count, row0, blocks, width: paddedCols(dtype, cols), count: invocations },
      grid(Math.ceil(invocations / gpu.subgroupSize)),
    );
    done += count;
  }
}
