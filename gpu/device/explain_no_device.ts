import { adapterKind } from "../adapter.ts";
import { UserError } from "../errors.ts";
import { warnOnce } from "../warn_once.ts";
import { numberedDevices } from "./choose_device.ts";
import { NVIDIA, nvidiaTrouble } from "./nvidia_driver.ts";
import { driversVariable, findVulkan, libraryOf, whyNoDriver } from "./vulkan_driver.ts";

const SOFTWARE = "apt-get install mesa-vulkan-drivers libvulkan1 brings a driver that needs no GPU";

/** Why there is no device to open, and what would bring one. */
export function explainNoDevice(): UserError {
  const { library, drivers } = findVulkan();
  const refuse = (found: string, hint: string) =>
    new UserError(`Cannot open a GPU: ${found}, one is needed`, hint);
  if (Deno.build.os !== "linux") return refuse("no adapter was found", "install the GPU's driver");
  if (!library) {
    const loader = "install it: libvulkan1 on Debian and Ubuntu, vulkan-loader on Fedora and RHEL";
    return refuse(
      "Vulkan's loader (libvulkan.so.1) is not here, so no adapter was found",
      drivers.length > 0 ? loader : SOFTWARE,
    );
  }
  const variable = driversVariable();
  const none = drivers.length === 0
    ? `no file ${variable ? "that is here " : ""}names a driver to Vulkan's loader`
    : `none of the drivers has a device (${drivers.map(describeDriver).join(", ")})`;
  if (variable) {
    return refuse(
      `no Vulkan adapter was found: with ${variable} in the environment ${none}`,
      `unset ${variable.split("=")[0]}, or have it name the file (.json) of a driver that is here`,
    );
  }
  const trouble = nvidiaTrouble(numberedDevices);
  if (trouble) return refuse(`no Vulkan adapter was found: ${trouble.found}`, trouble.hint);
  return refuse(
    `no Vulkan adapter was found: ${none}`,
    drivers.length === 0
      ? `install the GPU's Vulkan driver, or: ${SOFTWARE}`
      : `install the Vulkan driver of the GPU that is here, or let this user open it (/dev/dri, /dev/nvidia*); ${SOFTWARE}`,
  );
}

/**
 * Refuses a software device in place of an NVIDIA card that is here and cannot be used: it is hundreds of times slower, and who started
 * this for the card would find out too late. Another maker's GPU is told of.
 *
 * @param wanted what the user asked for: who calls the software device by its name wants it
 */
export function refuseStandIn(adapter: GPUAdapter, wanted = ""): void {
  const { description, vendor } = adapter.info;
  const isSoftware = adapterKind(adapter) !== "gpu";
  const name = wanted.trim().toLowerCase();
  const isNamed = !/^\d*$/.test(name) && description.toLowerCase().includes(name);
  const isAskedFor = isSoftware ? isNamed : name !== "";
  const trouble = vendor === `${NVIDIA}` || isAskedFor ? undefined : nvidiaTrouble(numberedDevices);
  if (!trouble) return;
  const { found, hint } = trouble;
  if (!isSoftware) return warnOnce(`${found}; ${description} is used instead (${hint})`);
  throw new UserError(
    `Cannot open a GPU: ${found}, and the software device is not taken in its place unless it is asked for`,
    `${hint}; --gpu ${description.split(" ")[0]} takes the software device, hundreds of times slower`,
  );
}

/** A driver's file, with what is wrong with it. */
function describeDriver(file: string): string {
  const library = libraryOf(file);
  if (library === undefined) return `${file} is no file of a driver`;
  const why = whyNoDriver(library);
  return why === undefined ? file : `${file}: ${why}`;
}
