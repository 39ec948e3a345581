import { numberedDevices } from "../../gpu/device/choose_device.ts";
import { launched } from "../../rl/cluster/launched.ts";

/**
 * Of processes that train together on one machine each takes a GPU of its own, in the order of their numbers, unless --gpu or SOFTCOT_GPU says
 * which; where there are software devices alone, its share of the cores. To be called before the first look for a device.
 */
export function takeOwnGpu(): void {
  const process = launched();
  if (process === undefined || process.localSize === 1 || Deno.env.get("SOFTCOT_GPU")) return;
  const gpus = numberedDevices().filter(({ type }) => type !== "cpu");
  if (gpus.length > 1) Deno.env.set("SOFTCOT_GPU", `${gpus[process.localRank % gpus.length].number}`);
  if (gpus.length > 0 || process.localSize === undefined || Deno.env.get("LP_NUM_THREADS")) return;
  const cores = Math.max(1, Math.floor(navigator.hardwareConcurrency / process.localSize));
  Deno.env.set("LP_NUM_THREADS", `${cores}`);
}
