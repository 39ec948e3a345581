/**
 * What Vulkan's loader would find on this machine, by its own rules of looking, without the cost of asking a driver.
 *
 * @module
 */

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
  const named = envList("VK_DRIVER_FILES") ?? envList("VK_ICD_FILENAMES");
  const places = named ?? [...envList("VK_ADD_DRIVER_FILES") ?? [], ...driverFolders()];
  return {
    library: canOpen("libvulkan.so.1"),
    drivers: places.flatMap(driversAt),
    named: named !== undefined,
  };
}

/** Whether a library can be opened, and has all of these functions. */
export function canOpen(library: string, functions: readonly string[] = []): boolean {
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
