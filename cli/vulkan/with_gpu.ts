import { type GpuOptions, openGpu } from "../../gpu/device/open_gpu.ts";
import type { Gpu } from "../../gpu/gpu.ts";

/**
 * Opens the device for the length of some work.
 *
 * @param explain what is thrown for an error of the work; if left out, the loss of the device where that lies behind it
 */
export async function withGpu<T>(
  work: (gpu: Gpu) => Promise<T>,
  options: GpuOptions = {},
  explain: (error: unknown, gpu: Gpu) => Promise<unknown> = (error, gpu) => gpu.errors.explain(error),
): Promise<T> {
  const gpu = await openGpu(options);
  try {
    return await work(gpu);
  } catch (error) {
    throw await explain(error, gpu);
  } finally {
    gpu.close();
  }
}
