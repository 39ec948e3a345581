import { type NumberedDevice, numberedDevices } from "../../gpu/device/choose_device.ts";
import { launched } from "../../rl/cluster/launched.ts";

/**
 * Of processes that train together on one machine each takes a GPU of its own, in the order of their numbers, unless --gpu or SOFTCOT_GPU says
 * which; where there are software devices alone, its share of the cores. To be called before the first look for a device.
 */
export function takeOwnGpu(): void {
  const process = launched();
  if (process === undefined || process.localSize === 1 || Deno.env.get("SOFTCOT_GPU")) return;
  const gpus = gpusToShare(numberedDevices());
  if (gpus.length > 1) Deno.env.set("SOFTCOT_GPU", `${gpus[process.localRank % gpus.length].number}`);
  if (gpus.length > 0 || process.localSize === undefined || Deno.env.get("LP_NUM_THREADS")) return;
  const cores = Math.max(1, Math.floor(navigator.hardwareConcurrency / process.localSize));
  Deno.env.set("LP_NUM_THREADS", `${cores}`);
}

/** Those that processes are to share out: each card once, whatever number of drivers lists it, and none beside discrete ones that is not. */
export function gpusToShare(devices: readonly NumberedDevice[]): NumberedDevice[] {
  const gpus = devices.filter(({ type, conformant }) => type !== "cpu" && conformant);
  const discrete = gpus.filter(({ type }) => type === "discrete");
  const best = discrete.length > 0 ? discrete : gpus;
  return best.filter(({ pci }, i) => pci === undefined || best.findIndex((other) => other.pci === pci) === i);
}
