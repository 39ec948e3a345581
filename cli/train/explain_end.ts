import { DeviceLostError, OutOfMemoryError, UserError } from "../../gpu/errors.ts";
import { toldAdapter } from "../../gpu/adapter.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { describeShortage } from "../terminal/describe_shortage.ts";
import { memoryAtEnd } from "../vulkan/memory_at_end.ts";
import { fittingTraining, type PlannedTraining } from "./check_memory.ts";
import { keptOf } from "./kept_of.ts";
import type { TrainValues } from "./train_settings.ts";

/** A run as far as the end of its device is told by it. */
interface EndedRun {
  folder: string;
  values: TrainValues;
  planned: PlannedTraining;
  /** The command that goes on with it. */
  goOn: string;
}

/**
 * What is told of a run that ended by an error: of a lost device, or one without memory, what is kept of the run and how to go on. What the
 * device held is gone, so that nothing later than the newest checkpoint can be saved.
 */
export async function explainEnd(error: unknown, gpu: Gpu, run: EndedRun): Promise<unknown> {
  const why = await gpu.errors.explain(error);
  const { folder, values, planned, goOn } = run;
  const end = (what: string, hint: string) =>
    new UserError(
      `Cannot go on: the device ${toldAdapter(gpu.adapter)} ${what}; ${keptOf(folder, values)}`,
      hint,
    );
  if (why instanceof DeviceLostError) {
    return end(
      `was lost (${why.message})`,
      `go on with: ${goOn}; if it happens again, the kernel's log (dmesg) may say why`,
    );
  }
  if (!(why instanceof OutOfMemoryError)) return why;
  const fits = await fittingTraining(gpu, values, planned, memoryAtEnd(gpu, why));
  return end(
    `has ${describeShortage(why)}`,
    `end what else uses the device and go on with: ${goOn}; or begin anew: ${fits}`,
  );
}
