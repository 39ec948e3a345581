import { baseOf } from "../../model/lora/adapter_config.ts";
import { locateAdapter } from "../../model/lora/locate_adapter.ts";
import type { Origin } from "../settings/resolve_config.ts";

/**
 * Which model to open: the one that is named, else the one that the given adapter was trained on.
 *
 * @param origins who set the values
 * @throws UserError if there is no such adapter, or it names no model
 */
export function modelOrBase(
  { model, adapter }: { model: string; adapter?: string },
  origins: { model: Origin },
): string {
  const isNamed = origins.model === "flag" || origins.model === "config";
  return adapter === undefined || isNamed ? model : baseOf(locateAdapter(adapter)).name;
}
