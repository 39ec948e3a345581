/** Kinds of permission that a command keeps or gives up before it opens anything; reading and the environment all keep. */
export type Kind = "net" | "import" | "write" | "run" | "ffi" | "sys";

/** Every kind, in the order in which people are told. */
export const KINDS: readonly Kind[] = ["net", "import", "write", "run", "ffi", "sys"];

/** Each worker of the software device gets a core; Vulkan is asked for its devices, the kernel and Vulkan for free memory. */
const DEVICE: readonly Kind[] = ["run", "ffi"];

/** The hub, the cache, and how much of the disk is free. */
const PULL: readonly Kind[] = ["net", "write", "sys"];

/** What each command needs beside reading; `run` also tells the state of softcot's own checkout, by git. */
export const PERMISSIONS: Readonly<Record<string, readonly Kind[]>> = {
  train: [...DEVICE, "write"],
  eval: [...DEVICE, "write"],
  "eval check": [],
  generate: DEVICE,
  sft: [...DEVICE, "write"],
  // Each run is a process of its own.
  sweep: ["run", "write"],
  "sweep claims": ["run", "write"],
  compare: [],
  "model pull": PULL,
  "model list": [],
  "model info": DEVICE,
  "model export": ["write"],
  "model verify": ["write"],
  "data pull": PULL,
  "data list": [],
  "data show": [],
  bench: [...DEVICE, "write"],
  doctor: [...DEVICE, "sys"],
  settings: [],
  version: ["run"],
  licenses: ["run"],
  "cache list": ["sys"],
  "cache clear": ["sys", "write"],
};
