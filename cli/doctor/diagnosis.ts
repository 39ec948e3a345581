import type { DeviceHere } from "./devices_here.ts";

/** One thing looked at. */
export interface Finding {
  name: string;
  /** `ok`; `note`: good to know; `missing`: softcot cannot work so. */
  state: "ok" | "note" | "missing";
  found: string;
  hint?: string;
}

/** What doctor tells with --json. */
export interface Diagnosis {
  ok: boolean;
  versions: { softcot: string; deno: string; v8: string };
  findings: Finding[];
  /** All that Vulkan lists. */
  devices: DeviceHere[];
  /** The one that is used; absent where none could be opened. */
  device?: {
    /** Its number among them. */
    number?: number;
    name: string;
    vendor: string;
    architecture: string;
    description: string;
    software: boolean;
    backend: string;
    subgroupSize: number;
    matmulFamily: string;
    features: string[];
    limits: Record<string, number>;
    pipelines: number;
  };
}
