/**
 * What Vulkan's loader would find on this machine, by its own rules of looking, without the cost of asking a driver.
 *
 * @module
 */
import { dirname } from "node:path";

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
    library: whyNot("libvulkan.so.1") === undefined,
    drivers: [...new Set(driverPlaces().flatMap(driversAt))],
    named: namedDrivers() !== undefined,
  };
}

/** Where the loader looks for the files of drivers: files, and folders of them. */
export const driverPlaces = (): string[] =>
  namedDrivers() ?? [...envList("VK_ADD_DRIVER_FILES") ?? [], ...driverFolders()];

const namedDrivers = () => envList("VK_DRIVER_FILES") ?? envList("VK_ICD_FILENAMES");

/** A variable of the environment that decides which drivers the loader looks at, as `NAME=value`, if the user has set one. */
export function driversVariable(): string | undefined {
  if (ownNaming === Deno.env.get("VK_DRIVER_FILES")) return undefined;
  const name = DECIDING.find((name) => Deno.env.get(name));
  return name && `${name}=${Deno.env.get(name)}`;
}

const DECIDING = [
  "VK_DRIVER_FILES",
  "VK_ICD_FILENAMES",
  "VK_LOADER_DRIVERS_SELECT",
  "VK_LOADER_DRIVERS_DISABLE",
];

let ownNaming: string | null = null;

/** Has the loader of this process look at these files alone. */
export function nameDrivers(files: readonly string[]): void {
  ownNaming = files.join(":");
  // Loaders before 1.3.207 know the second name alone.
  for (const name of ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"]) Deno.env.set(name, ownNaming);
}

/** The library that a driver's file names, as the loader looks for it; undefined where the file is none. */
export function libraryOf(file: string): string | undefined {
  try {
    const { ICD: { library_path: path } } = JSON.parse(Deno.readTextFileSync(file));
    if (typeof path !== "string") return undefined;
    return path.includes("/") && !path.startsWith("/") ? `${dirname(file)}/${path}` : path;
  } catch {
    return undefined;
  }
}

/** Why a library is no driver of Vulkan that can be opened, in the linker's words; undefined where it is one. */
export const whyNoDriver = (library: string): string | undefined =>
  whyNot(library, ["vk_icdGetInstanceProcAddr"]);

/** What was found out of libraries, for when the right to open one has been given up. */
const tried = new Map<string, string | undefined>();

/** Why a library cannot be opened, or lacks one of these functions. */
function whyNot(library: string, functions: readonly string[] = []): string | undefined {
  if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") {
    return tried.has(library) ? tried.get(library) : "it was not tried";
  }
  const why = tryToOpen(library, functions);
  tried.set(library, why);
  return why;
}

function tryToOpen(library: string, functions: readonly string[]): string | undefined {
  try {
    const wanted = functions.map((name) => [name, { parameters: [], result: "void" }]);
    Deno.dlopen(library, Object.fromEntries(wanted)).close();
    return undefined;
  } catch (error) {
    return (error as Error).message.replace(
      /^(Could not open library: )+|^Failed .*? from the library: /,
      "",
    );
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
