import { listSystemFolder } from "./system_files.ts";
import type { VulkanDevice } from "./vulkan_devices.ts";
import { driversVariable, whyNoDriver } from "./vulkan_driver.ts";

/** Of NVIDIA's two libraries that are its Vulkan driver, first the one that needs nothing of a desktop's, which servers lack. */
const LIBRARIES = ["libEGL_nvidia.so.0", "libGLX_nvidia.so.0"];

/** PCI's number of the maker. */
export const NVIDIA = 0x10de;

/** Whether NVIDIA's kernel driver gives this system a card. */
export const hasNvidiaCard = (): boolean => listSystemFolder("/dev").includes("nvidiactl");

/** NVIDIA's Vulkan driver, if it is here and can be opened. */
export const nvidiaDriver = (): string | undefined =>
  LIBRARIES.find((library) => whyNoDriver(library) === undefined);

/** What is wrong, as words after `Cannot ...: `, and what helps. */
interface Trouble {
  found: string;
  hint: string;
}

/** Why Vulkan lists no NVIDIA card though one is here; undefined where it does, there is none, or the user says which drivers count. */
export function nvidiaTrouble(devices: () => readonly VulkanDevice[]): Trouble | undefined {
  // What Vulkan lists is asked last, since that starts all drivers.
  if (!hasNvidiaCard() || driversVariable()) return undefined;
  return devices().some(({ vendorId }) => vendorId === NVIDIA) ? undefined : troubleWithDriver();
}

function troubleWithDriver(): Trouble {
  const driver = nvidiaDriver();
  if (driver) {
    return {
      found: `an NVIDIA card is here, but its Vulkan driver (${driver}) lists none`,
      hint:
        "nvidia-smi tells whether the card answers, and whether kernel and libraries are of one version of the driver; " +
        "let this user open /dev/nvidia*",
    };
  }
  const broken = LIBRARIES.map((library) => ({ library, why: whyNoDriver(library)! }))
    .find(({ library, why }) => missingIn(why) !== library);
  if (!broken) {
    return {
      found: `an NVIDIA card is here, but not its Vulkan driver (${LIBRARIES[0]})`,
      hint:
        "in a container, start it with NVIDIA_DRIVER_CAPABILITIES=all; else install NVIDIA's libraries for OpenGL and Vulkan of the " +
        "version of its kernel driver",
    };
  }
  const missing = missingIn(broken.why);
  return {
    found:
      `an NVIDIA card is here, and its Vulkan driver ${broken.library} is, too, but it cannot be opened: ${
        missing ? `${missing} is missing` : broken.why
      }`,
    hint: missing?.startsWith("libnvidia-")
      ? "that is a part of NVIDIA's driver: in a container, start it with NVIDIA_DRIVER_CAPABILITIES=all; else install the driver anew"
      : "install what it needs: on Debian and Ubuntu 'apt-get install libegl1 libglvnd0 libx11-6 libxext6' brings that, on Fedora and RHEL " +
        "'dnf install libglvnd-egl libX11 libXext'",
  };
}

/** The library that the linker did not find. */
const missingIn = (why: string): string | undefined =>
  /^(\S+): cannot open shared object file: No such file/.exec(why)?.[1];
