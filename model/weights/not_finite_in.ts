import { readPieces, type TensorFile } from "../formats/tensor_file.ts";
import { areFinite } from "./refuse_not_finite.ts";

/** A tensor with numbers that are not finite. */
export interface NotFinite {
  /** Its name in the file. */
  tensor: string;
  /** Its NaN and infinite numbers. */
  notFinite: number;
  /** All of its numbers. */
  of: number;
}

// 1 Mi elements: fast, and small beside any model.
const PIECE = 1024 * 1024;

/**
 * The tensors that hold NaN or infinity: all of them are read once.
 *
 * @param names of tensors of the file
 * @param onProgress told how many elements have been looked at
 */
export function notFiniteIn(
  file: TensorFile,
  names: readonly string[],
  onProgress: (elements: number) => void = () => {},
): NotFinite[] {
  const buffer = new Float32Array(PIECE);
  let done = 0;
  return names.flatMap((tensor) => {
    let notFinite = 0;
    readPieces(file, tensor, buffer, (piece) => {
      if (!areFinite(piece)) notFinite += piece.filter((value) => !Number.isFinite(value)).length;
      onProgress(done += piece.length);
    });
    return notFinite === 0 ? [] : [{ tensor, notFinite, of: file.tensors.get(tensor)!.elements }];
  });
}
