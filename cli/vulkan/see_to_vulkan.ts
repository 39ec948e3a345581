import { findVulkan, hasNvidiaCard, nvidiaDriver } from "../../gpu/device/vulkan_driver.ts";
import { say } from "../terminal/print.ts";
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
  // Drivers that the environment names are the user's own affair.
  if (found.named) return;
  const drivers = nameNvidia(found);
  if (hasNvidiaCard() && !nvidiaDriver()) {
    say(
      "softcot: an NVIDIA card is here, but not its Vulkan driver; in a container, NVIDIA_DRIVER_CAPABILITIES=all brings it",
    );
  }
  if (drivers.length === 0) offerDriver("driver");
  else if (!found.library) offerDriver("loader");
}

/**
 * A layer of Vulkan asks the desktop for the device to prefer, and waits for whatever listens there, another user's or nobody's, for ever.
 * Nothing here draws; and in /dev/null nothing can lie.
 */
function leaveDesktop(): void {
  Deno.env.set("XDG_RUNTIME_DIR", "/dev/null");
  for (const name of ["DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET"]) Deno.env.delete(name);
}
