import { reportError } from "../../cli/terminal/report_error.ts";
import { withGpu } from "../../cli/vulkan/with_gpu.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import type { Figure } from "./part.ts";

/**
 * Runs a measuring program on the device, and ends the process: its figures are the last line of stdout, and what goes wrong is told as
 * commands tell it.
 *
 * @param work is given `tell`, for what counts also if the rest takes too long
 */
export async function measuring(
  work: (gpu: Gpu, tell: (figures: readonly Figure[]) => void) => Promise<Figure[]>,
): Promise<never> {
  try {
    await withGpu(async (gpu) => {
      const tell = (figures: readonly Figure[]) =>
        console.log(JSON.stringify({ adapter: gpu.adapter, figures }));
      tell(await work(gpu, tell));
    });
    Deno.exit(0);
  } catch (error) {
    Deno.exit(reportError(error));
  }
}
