/**
 * What Vulkan's loader would find on this machine, by its own rules of looking, without the cost of asking a driver.
 *
 * @module
 */
import { UserError } from "../errors.ts";
import { listSystemFolder } from "./system_files.ts";

/** The library that the loader is, and the files that tell it of drivers. */
export interface VulkanFiles {
  /** `libvulkan.so.1` can be opened. */
  library: boolean;
  /** Files that name drivers (ICDs), in the order of the loader. */
  drivers: string[];
  /** Whether the environment names the drivers, so that no others count. */
  named: boolean;
}

/** Looks for them (Linux). Needs the permissions to read, and `ffi` for the library. */
export function findVulkan(): VulkanFiles {
  return {
    library: canOpen("libvulkan.so.1"),
    drivers: [...new Set(driverPlaces().flatMap(driversAt))],
    named: namedDrivers() !== undefined,
  };
}

/** Where the loader looks for the files of drivers: files, and folders of them. */
export const driverPlaces = (): string[] =>
  namedDrivers() ?? [...envList("VK_ADD_DRIVER_FILES") ?? [], ...driverFolders()];

const namedDrivers = () => envList("VK_DRIVER_FILES") ?? envList("VK_ICD_FILENAMES");

/** Whether a library can be opened and is a driver of Vulkan. */
export const isDriver = (library: string): boolean => canOpen(library, ["vk_icdGetInstanceProcAddr"]);

/** Whether NVIDIA's kernel driver gives this system a card. */
export const hasNvidiaCard = (): boolean => listSystemFolder("/dev").includes("nvidiactl");

/** NVIDIA's Vulkan driver, if it is here; of its two libraries rather the one that needs nothing of a desktop's, which servers lack. */
export const nvidiaDriver = (): string | undefined =>
  ["libEGL_nvidia.so.0", "libGLX_nvidia.so.0"].find(isDriver);

/** Why there is no device to open, and what would bring one. */
export function explainNoDevice(): UserError {
  const { library, drivers, named } = findVulkan();
  const software = "apt-get install mesa-vulkan-drivers libvulkan1 brings a driver that needs no GPU";
  const refuse = (found: string, hint: string) =>
    new UserError(`Cannot open a GPU: ${found}, one is needed`, hint);
  if (Deno.build.os !== "linux") return refuse("no adapter was found", "install the GPU's driver");
  if (!library) {
    const loader = "install it: libvulkan1 on Debian and Ubuntu, vulkan-loader on Fedora and RHEL";
    return refuse(
      "Vulkan's loader (libvulkan.so.1) is not here, so no adapter was found",
      drivers.length > 0 ? loader : software,
    );
  }
  if (hasNvidiaCard() && !nvidiaDriver()) {
    return refuse(
      "no Vulkan adapter was found: an NVIDIA card is here without its driver for graphics (libEGL_nvidia.so.0)",
      "in a container, start it with NVIDIA_DRIVER_CAPABILITIES=all; else install NVIDIA's libraries for OpenGL and Vulkan of the " +
        "version of its kernel driver",
    );
  }
  if (drivers.length === 0) {
    return refuse(
      "no Vulkan adapter was found: " +
        (named
          ? "VK_DRIVER_FILES or VK_ICD_FILENAMES names no file that is here"
          : "no file names a driver to Vulkan's loader"),
      named ? "unset it, or name a driver's .json file" : `install the GPU's Vulkan driver, or: ${software}`,
    );
  }
  return refuse(
    `no Vulkan adapter was found: none of the drivers has a device (${drivers.join(", ")})`,
    `install the Vulkan driver of the GPU that is here, or let this user open it (/dev/dri, /dev/nvidia*); ${software}`,
  );
}

/** What was found out of libraries, for when the right to open one has been given up. */
const opened = new Map<string, boolean>();

/** Whether a library can be opened, and has all of these functions. */
function canOpen(library: string, functions: readonly string[] = []): boolean {
  if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") return opened.get(library) ?? false;
  const can = tryToOpen(library, functions);
  opened.set(library, can);
  return can;
}

function tryToOpen(library: string, functions: readonly string[]): boolean {
  try {
    const wanted = functions.map((name) => [name, { parameters: [], result: "void" }]);
    Deno.dlopen(library, Object.fromEntries(wanted)).close();
    return true;
  } catch {
    return false;
  }
}

/** Where the loader looks: what the user has, then what the system has. */
function driverFolders(): string[] {
  const home = Deno.env.get("HOME");
  const own = (name: string, below: string) =>
    envList(name)?.slice(0, 1) ?? (home ? [`${home}/${below}`] : []);
  return [
    ...own("XDG_CONFIG_HOME", ".config"),
    ...envList("XDG_CONFIG_DIRS") ?? ["/etc/xdg"],
    "/etc",
    ...own("XDG_DATA_HOME", ".local/share"),
    ...envList("XDG_DATA_DIRS") ?? ["/usr/local/share", "/usr/share"],
    "/run/opengl-driver/share", // NixOS
  ].map((folder) => `${folder}/vulkan/icd.d`);
}

/** The files of a place, which is one itself or a folder of them. */
function driversAt(place: string): string[] {
  try {
    if (Deno.statSync(place).isFile) return [place];
    return [...Deno.readDirSync(place)].map(({ name }) => `${place}/${name}`).filter((file) =>
      file.endsWith(".json")
    );
  } catch {
    return []; // not there, or not to be read
  }
}

function envList(name: string): string[] | undefined {
  const value = Deno.env.get(name);
  return value ? value.split(":").filter(Boolean) : undefined;
}
