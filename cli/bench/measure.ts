import type { Gpu } from "../../gpu/gpu.ts";

/** One thing to be timed. */
export interface Measurement {
  /** What is shown. */
  name: string;
  /** Records, and perhaps awaits, one repetition. */
  run(): void | Promise<void>;
  /** Useful floating-point operations of a repetition. */
  flops?: number;
  /** Bytes that a repetition has to read and write at least. */
  bytes?: number;
  /** Tokens of a repetition. */
  tokens?: number;
}

/** What a measurement came to; rates follow from the median. */
export interface Measured extends Omit<Measurement, "run"> {
  /** Median seconds of a repetition. */
  seconds: number;
  /** The fastest one. */
  best: number;
}

/** How long is measured. */
export interface MeasureOptions {
  /** Rounds that count; one more goes before them, in which kernels are compiled. */
  rounds: number;
  /** Aborted: stop with an error. */
  signal?: AbortSignal;
}

// A round is repeated within one wait for the device until it takes so long: the wait itself costs up to 10 ms.
const ROUND = 0.05;

/** Times works in turns, so that what else the machine does meets all of them alike. */
export async function measure(
  gpu: Gpu,
  measurements: readonly Measurement[],
  { rounds, signal }: MeasureOptions,
): Promise<Measured[]> {
  const probe = gpu.arena.create([1], "f32", "probe");
  const once = async (measurement: Measurement, repeats: number) => {
    const started = performance.now();
    for (let i = 0; i < repeats; i++) await measurement.run();
    await gpu.reader.read(probe);
    return (performance.now() - started) / 1000 / repeats;
  };
  const repeats: number[] = [];
  for (const measurement of measurements) {
    await once(measurement, 1);
    repeats.push(Math.max(1, Math.min(1000, Math.ceil(ROUND / await once(measurement, 1)))));
  }
  const seconds: number[][] = measurements.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, measurement] of measurements.entries()) {
      signal?.throwIfAborted();
      seconds[i].push(await once(measurement, repeats[i]));
    }
  }
  gpu.arena.free(probe);
  return measurements.map(({ run: _, ...measurement }, i) => ({
    ...measurement,
    seconds: median(seconds[i]),
    best: Math.min(...seconds[i]),
  }));
}

/** The middle value; the upper one of two. */
export const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
