import { hasNvidiaCard } from "../../gpu/device/nvidia_driver.ts";
import { driversVariable, findVulkan } from "../../gpu/device/vulkan_driver.ts";
import { nameNvidia } from "./name_nvidia.ts";
import { offerDriver } from "./offer_driver.ts";

/**
 * Sees to it that a device can be looked for: to be called before the first look for one, and before permissions are given up (Linux;
 * elsewhere there is nothing to see to). What is set in the environment here reaches Vulkan's loader and its layers.
 */
export function seeToVulkan(): void {
  if (Deno.build.os !== "linux") return;
  leaveDesktop();
  // Where these are empty, the loader looks for no driver at all.
  for (const name of ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"]) {
    if (Deno.env.get(name) === "") Deno.env.delete(name);
  }
  const found = findVulkan();
  // Drivers that the environment decides on are the user's own affair.
  if (driversVariable()) return;
  const drivers = nameNvidia(found);
  // In place of a card no software device is taken that nobody asked for: nothing is installed for it.
  const isForCard = hasNvidiaCard() && !/llvm|lavapipe/i.test(Deno.env.get("SOFTCOT_GPU") ?? "");
  if (drivers.length > 0 && !found.library) offerDriver("loader");
  if (drivers.length === 0 && !isForCard) offerDriver("driver");
}

/**
 * A layer of Vulkan asks the desktop for the device to prefer, and waits for whatever listens there, another user's or nobody's, for ever.
 * Nothing here draws; and in /dev/null nothing can lie.
 */
function leaveDesktop(): void {
  Deno.env.set("XDG_RUNTIME_DIR", "/dev/null");
  for (const name of ["DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET"]) Deno.env.delete(name);
}
