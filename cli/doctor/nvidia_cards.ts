import { askProgram } from "../facts/ask_program.ts";
import { counted } from "../terminal/counted.ts";

/** What NVIDIA's own tool says of a card; what it does not know, as of cards in MIG mode, is absent. */
export interface NvidiaCard {
  /** Its number there. */
  index?: number;
  name: string;
  pci: string;
  /** Bytes. */
  free?: number;
  /** In hundredths. */
  busy?: number;
  /** Version of the kernel driver. */
  driver: string;
}

const FIELDS = ["index", "name", "pci.bus_id", "memory.free", "utilization.gpu", "driver_version"];
// Seconds: large machines that do not keep their driver awake take some. Where a card has fallen off the bus it waits for ever.
const PATIENCE = 10;

/** Every card of NVIDIA's tool; none where it is not here. With what went wrong, if something did. */
export async function nvidiaCards(): Promise<{ cards: NvidiaCard[]; trouble?: string }> {
  const args = [`--query-gpu=${FIELDS.join(",")}`, "--format=csv,noheader,nounits"];
  const answer = await askProgram("nvidia-smi", args, PATIENCE);
  if (answer === undefined) return { cards: [] };
  if (answer === "late") return { cards: [], trouble: `no answer within ${PATIENCE} s` };
  const lines = answer.stdout.split("\n");
  const cards = lines.flatMap(cardIn);
  if (answer.success) return { cards };
  const said = lines.find((line) => line !== "" && cardIn(line).length === 0) ?? "it does not say why";
  return { cards, trouble: `it failed, after ${counted(cards.length, "card")}: ${said}` };
}

/** The card of a line; none where it is a message. */
function cardIn(line: string): NvidiaCard[] {
  const [index, name, pci, free, busy, driver] = line.split(/,\s*/);
  // Its domains have eight digits.
  const place = /^(?:0{4})?([\da-f]{4,8}:[\da-f]{2}:[\da-f]{2}\.[\da-f])$/i.exec(pci ?? "")?.[1];
  if (place === undefined || driver === undefined) return [];
  const mib = numberIn(free);
  return [{
    ...{
      index: numberIn(index),
      name,
      driver: driver.trim(),
      busy: numberIn(busy),
      pci: place.toLowerCase(),
    },
    free: mib === undefined ? undefined : mib * 2 ** 20,
  }];
}

const numberIn = (text: string): number | undefined => /^\d+(\.\d+)?$/.test(text) ? Number(text) : undefined;
