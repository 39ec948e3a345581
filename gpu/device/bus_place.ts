/**
 * Whether a device is at the place on the PCI bus that a text names, as tools write it: `0000:67:00.0` of lspci, `00000000:67:00.0` of
 * nvidia-smi, `67:00.0` and `67:00` for short, `pci-0000_67_00_0` of Mesa and udev, `PCI:103:0:0` or `PCI:103@0:0:0` of X and
 * nvidia-settings, which count in tens. Undefined where the text names no place.
 */
export function busPlace(text: string): ((pci: string | undefined) => boolean) | undefined {
  const decimal = /^pci:(\d+)(?:@(\d+))?:(\d+)(?::(\d+))?$/.exec(text);
  if (decimal) {
    const [, bus, domain = "0", slot, part] = decimal.map((digits) => digits && Number(digits).toString(16));
    return at({ domain, bus: bus!, slot: slot!, part });
  }
  const written = text.replace(/^pci[-:]/, "").replace(
    /^([\da-f]{4})_([\da-f]{2})_([\da-f]{2})_(\d)$/,
    "$1:$2:$3.$4",
  );
  const found = /^(?:(?:0{4})?([\da-f]{4}):)?([\da-f]{2}):([\da-f]{2})(?:\.(\d))?$/.exec(written);
  if (!found) return undefined;
  const [, domain = "0", bus, slot, part] = found;
  return at({ domain, bus, slot, part });
}

interface Place {
  domain: string;
  bus: string;
  slot: string;
  /** Any, if left out. */
  part?: string;
}

function at({ domain, bus, slot, part }: Place): (pci: string | undefined) => boolean {
  const place = `${domain.padStart(4, "0")}:${bus.padStart(2, "0")}:${slot.padStart(2, "0")}.`;
  return (pci) => part === undefined ? pci?.startsWith(place) === true : pci === place + part;
}
