import type { Gpu } from "../../gpu/gpu.ts";
import type { Tensor } from "../../gpu/tensor.ts";
import type { ModelConfig } from "./config.ts";
import { STRIDE } from "./stride_steps.ts";

// Long contexts have tables of many MiB: the heap holds a part of one at a time.
const ROPE_PIECE = 8192;

/** Cosines and sines of all positions, or of as many as a binding holds: {@link contextOf} says how many. */
export function createRopeTable(gpu: Gpu, config: ModelConfig): Tensor {
  const table = emptyRopeTable(gpu, config);
  const [positions] = table.shape;
  for (let from = 0; from < positions; from += ROPE_PIECE) {
    const piece = ropeValues(config, Math.min(ROPE_PIECE, positions - from), from);
    gpu.commands.upload(table, piece, from * config.headDim);
  }
  return table;
}

/** Room for all positions, or for as many as a binding holds. */
export function emptyRopeTable(gpu: Gpu, config: ModelConfig): Tensor {
  const fitting = Math.floor(gpu.maxBinding / (4 * config.headDim));
  // Generation computes up to a stride past a rollout's end.
  const positions = Math.min(config.maxPosition + STRIDE, fitting);
  return gpu.arena.create([positions, config.headDim / 2, 2], "f32", "rope table");
}

/**
 * (cos, sin) of each position from `first` on and of each frequency, [positions, hd / 2, 2], computed in f64: f32
 * cosines of large angles are off by up to 3e-3 on some devices.
 */
function ropeValues(config: ModelConfig, positions: number, first = 0): Float32Array<ArrayBuffer> {
  const half = config.headDim / 2;
  const table = new Float32Array(positions * half * 2);
  for (let c = 0; c < half; c++) {
    const frequency = scaledFrequency(config.ropeScaling, config.ropeTheta ** (-c / half));
    for (let t = 0; t < positions; t++) {
      table[(t * half + c) * 2] = Math.cos((first + t) * frequency);
      table[(t * half + c) * 2 + 1] = Math.sin((first + t) * frequency);
    }
  }
  return table;
}

/** A rotary frequency as a scaling stretches it. */
export function scaledFrequency(scaling: ModelConfig["ropeScaling"], frequency: number): number {
  if (!scaling) return frequency;
  if (scaling.type === "linear") return frequency / scaling.factor;
  // Llama 3: long waves are stretched, short ones kept, those between blended.
  const { factor, lowFreqFactor, highFreqFactor, originalMaxPosition } = scaling;
  const wavelength = 2 * Math.PI / frequency;
  if (wavelength > originalMaxPosition / lowFreqFactor) return frequency / factor;
  if (wavelength < originalMaxPosition / highFreqFactor) return frequency;
  const smooth = (originalMaxPosition / wavelength - lowFreqFactor) / (highFreqFactor - lowFreqFactor);
  return (1 - smooth) * frequency / factor + smooth * frequency;
}
