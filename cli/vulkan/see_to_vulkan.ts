import { findVulkan } from "../../gpu/device/vulkan_driver.ts";
import { offerDriver } from "./offer_driver.ts";

/**
 * Sees to it that a device can be looked for: to be called before the first look for one, and before permissions are given up (Linux;
 * elsewhere there is nothing to see to). What is set in the environment here reaches Vulkan's loader and its layers.
 */
export function seeToVulkan(): void {
  if (Deno.build.os !== "linux") return;
  leaveDesktop();
  const { library, drivers, named } = findVulkan();
  // Drivers that the environment names are the user's own affair.
  if (!named && (!library || drivers.length === 0)) offerDriver();
}

/**
 * A layer of Vulkan looks for a desktop in XDG_RUNTIME_DIR, and waits for whatever listens there, the desktop of another user or nobody's
 * for ever. Nothing here draws; in /dev/null nothing can lie, and nobody can put anything.
 */
function leaveDesktop(): void {
  Deno.env.set("XDG_RUNTIME_DIR", "/dev/null");
  Deno.env.delete("WAYLAND_DISPLAY");
  Deno.env.delete("WAYLAND_SOCKET");
}
