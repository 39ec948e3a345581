import type { OutOfMemoryError } from "../../gpu/errors.ts";
import { inBytes } from "./in_bytes.ts";

/** What a device had no memory for, as messages go on after "the device has". */
export function describeShortage({ memory, message }: OutOfMemoryError): string {
  if (!memory) return `no memory left: ${message}`;
  return `no memory left for ${inBytes(memory.asked)} beside the ${
    inBytes(memory.held)
  } that are held (${message})`;
}
