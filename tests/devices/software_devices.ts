/** Software devices of several kinds and widths, for what tests are run on beside the one that is installed. */

/** A device that tests can be run on in a process of its own. */
export interface SoftwareDevice {
  name: string;
  /** Of a subgroup. */
  lanes: number;
  /** What makes a process open it. */
  env: Record<string, string>;
  /** What is not here, where it cannot be had. */
  missing?: string;
}

/** Devices that `fetch_devices.ts` brings. */
export const FETCHED = { swiftshader: "SwiftShader", mesa25: "Mesa 25" } as const;

/** Where it puts them: a folder of each, with `icd.json`. */
export function fetchedFolder(): string {
  const { env } = Deno;
  const base = env.get("XDG_CACHE_HOME") || `${env.get("HOME") || "/tmp"}/.cache`;
  return `${base}/softcot/test-devices`;
}

const ICDS = "/usr/share/vulkan/icd.d";

/** The installed llvmpipe at each width, then what was fetched. */
export function softwareDevices(): SoftwareDevice[] {
  const widths = [64, 128, 256, 512].map((bits) => ({
    ...{ name: `${bits / 32} lanes`, lanes: bits / 32 },
    ...driver(installed(), "mesa-vulkan-drivers is not installed"),
    bits,
  }));
  const fetched = Object.entries(FETCHED).map(([id, name]) => ({
    ...{ name, lanes: id === "swiftshader" ? 4 : 8 },
    ...driver(
      present(`${fetchedFolder()}/${id}/icd.json`),
      "tests/devices/fetch_devices.ts has not brought it",
    ),
    bits: id === "swiftshader" ? undefined : 256,
  }));
  return [...widths, ...fetched].map(({ bits, env, ...device }) => ({
    ...device,
    env: { ...env, ...(bits ? { LP_NATIVE_VECTOR_WIDTH: `${bits}` } : {}) },
  }));
}

/** The device that is usual here. */
export const isUsual = ({ name }: SoftwareDevice): boolean => name === "8 lanes";

const driver = (file: string | undefined, otherwise: string): Pick<SoftwareDevice, "env" | "missing"> =>
  file ? { env: { VK_DRIVER_FILES: file } } : { env: {}, missing: otherwise };

function installed(): string | undefined {
  try {
    const name = [...Deno.readDirSync(ICDS)].find(({ name }) => name.startsWith("lvp_icd"))?.name;
    return name && `${ICDS}/${name}`;
  } catch {
    return undefined;
  }
}

function present(file: string): string | undefined {
  try {
    return Deno.statSync(file).isFile ? file : undefined;
  } catch {
    return undefined;
  }
}
