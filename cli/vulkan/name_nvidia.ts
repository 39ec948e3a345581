import { createBeside } from "../../model/files/own_file.ts";
import { nvidiaDriver } from "../../gpu/device/nvidia_driver.ts";
import { libraryOf, nameDrivers, type VulkanFiles, whyNoDriver } from "../../gpu/device/vulkan_driver.ts";
import { say } from "../terminal/print.ts";
import { ownPlace } from "../cache/own_place.ts";

/**
 * Names NVIDIA's driver to Vulkan's loader where it is here and no file does, or the file that does names a library that cannot be opened:
 * on servers and in containers the library often comes without the file. Writes a file of its own and sets the environment.
 *
 * @returns the drivers that are named now
 */
export function nameNvidia({ drivers, named }: VulkanFiles): string[] {
  const hasFile = drivers.some((file) => {
    const library = libraryOf(file);
    return library !== undefined && /nvidia/i.test(library) && whyNoDriver(library) === undefined;
  });
  const library = named || hasFile ? undefined : nvidiaDriver();
  if (!library) return drivers;
  const file = write(library);
  if (!file) {
    say(
      `softcot: NVIDIA's driver ${library} is here, but no file names it to Vulkan, and no folder of your own can be written to`,
    );
    return drivers;
  }
  const all = [file, ...drivers];
  nameDrivers(all);
  return all;
}

function write(library: string): string | undefined {
  const place = ownPlace();
  if (!place) return undefined;
  const path = `${place}/nvidia_icd.json`;
  const text = JSON.stringify({
    file_format_version: "1.0.0",
    ICD: { library_path: library, api_version: "1.3.0" },
  });
  try {
    const { file, beside } = createBeside(path);
    file.writeSync(new TextEncoder().encode(text));
    file.close();
    Deno.renameSync(beside, path);
    return path;
  } catch {
    return undefined; // a full disk
  }
}
