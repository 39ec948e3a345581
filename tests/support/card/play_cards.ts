import { join } from "node:path";
import { findVulkan } from "../../../gpu/device/vulkan_driver.ts";
import { root } from "../places.ts";

/** The files of the played cards' driver. */
export interface PlayedDriver {
  /** The library. */
  library: string;
  /** The file that names it to Vulkan's loader. */
  file: string;
}

/** What the cards are: three alike, on a bus. */
export const PLAYED = {
  name: "NVIDIA H200",
  buses: [0x65, 0x66, 0x67],
  models: [0x2335, 0x2335, 0x2335],
  memory: 143771 * 2 ** 20,
  free: [3000 * 2 ** 20, 4000 * 2 ** 20, 5000 * 2 ** 20],
};

/** The file that names Mesa's software device to the loader, and its library; undefined where it is not here. */
export function softwareDriver(): PlayedDriver | undefined {
  if (Deno.build.os !== "linux") return undefined;
  const file = findVulkan().drivers.find((path) => path.includes("lvp"));
  if (!file) return undefined;
  const { ICD: { library_path: library } } = JSON.parse(Deno.readTextFileSync(file));
  return { file, library };
}

/** Compiles the driver that shows the software device as such cards into a folder; undefined where there is no compiler. */
export async function playCards(
  folder: string,
  name = "cards.so",
  { models = PLAYED.models, free = PLAYED.free } = {},
): Promise<PlayedDriver | undefined> {
  const software = softwareDriver();
  if (!software) return undefined;
  const library = join(folder, name);
  const numbers = { MIB: PLAYED.memory / 2 ** 20, FREE: free.map((bytes) => bytes / 2 ** 20).join(",") };
  const defined = {
    ...{
      REAL: JSON.stringify(software.library),
      NAME: JSON.stringify(PLAYED.name),
      BUSES: PLAYED.buses.join(","),
      MODELS: models.join(","),
    },
    ...numbers,
  };
  const args = [
    ...["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", library],
    ...Object.entries(defined).map(([key, value]) => `-D${key}=${value}`),
    ...[join(root, "tests/support/card/card_driver.c"), "-ldl"],
  ];
  const compiled = await new Deno.Command("cc", { args, stdout: "null" }).output().catch(() => undefined);
  if (!compiled) return undefined;
  if (!compiled.success) throw new Error(new TextDecoder().decode(compiled.stderr));
  const file = join(folder, "cards.json");
  await Deno.writeTextFile(file, driverFile(library));
  return { library, file };
}

/** What a file says that names a library to the loader. */
export const driverFile = (library: string): string =>
  JSON.stringify({ file_format_version: "1.0.0", ICD: { library_path: library, api_version: "1.3.0" } });
