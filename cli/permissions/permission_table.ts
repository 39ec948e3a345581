/**
 * What each command may do: the places that it reads and writes, the variables of the environment that it asks for, the programs that it
 * starts. It gives up all else before it opens anything.
 *
 * @module
 */
import type { Place } from "./places.ts";

/** What a command needs. */
export interface Needs {
  /** Folders and files, by what they are to the command. */
  read: readonly Place[];
  /** The same, of what it writes. */
  write: readonly Place[];
  /** Groups of variables. */
  env: readonly (keyof typeof VARIABLES)[];
  /**
   * Programs that it starts; before the right to start any is given up git is asked, and own code gets a process of its own; mpirun is
   * started with --learners or --cluster alone, by a process that does nothing else.
   */
  run: readonly ("git" | "own code" | "nvidia-smi" | "softcot" | "deno" | "the browser" | "mpirun")[];
  /** The network; of `listens` one address, and nothing else once it listens there; only with a flag. */
  net: boolean | "listens" | "with --workers" | "with --cluster";
  /** The system's memory and disks. */
  sys: boolean;
  /**
   * Libraries: that of C, to bind threads, to read /proc, to make links, to touch the program's own folder, is opened before the right to open any is given up; Vulkan's is
   * asked for devices and their memory. MPI's (libmpi.so.40) is opened like C's, in processes that mpirun or srun
   * started alone.
   */
  libraries: readonly ("C" | "Vulkan" | "MPI")[];
}

/** Variables of the environment, by what they are for. */
export const VARIABLES = {
  /** SOFTCOT_STARTED_BY is the sweep that waits for this process. */
  display: ["SOFTCOT_DEBUG", "TERM", "SOFTCOT_STARTED_BY"],
  /** Where Vulkan's loader looks for drivers, and what chooses among devices. */
  device: [
    ...["SOFTCOT_GPU", "DENO_WEBGPU_BACKEND", "XDG_CACHE_HOME", "HOME"],
    ...["VK_DRIVER_FILES", "VK_ICD_FILENAMES", "VK_ADD_DRIVER_FILES"],
    ...["VK_LOADER_DRIVERS_SELECT", "VK_LOADER_DRIVERS_DISABLE"],
    ...["XDG_CONFIG_HOME", "XDG_CONFIG_DIRS", "XDG_DATA_HOME", "XDG_DATA_DIRS"],
    ...[
      "NODEVICE_SELECT",
      "MESA_VK_DEVICE_SELECT",
      "MESA_VK_DEVICE_SELECT_FORCE_DEFAULT_DEVICE",
      "DRI_PRIME",
    ],
    ...["VK_LOADER_DEVICE_SELECT", "ENABLE_DEVICE_CHOOSER_LAYER", "VULKAN_DEVICE_INDEX"],
  ],
  caches: ["SOFTCOT_CACHE", "XDG_CACHE_HOME", "HOME", "TMPDIR"],
  sweep: ["LP_NUM_THREADS"],
  nats: ["NATS_URL"],
  /** As huggingface_hub asks; those that stand in their values, too. */
  hub: ["HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME", "HOME", "USERPROFILE"],
  /** Switches of the library for algebra, which it asks for as it is loaded. */
  algebra: ["CE_*", "RUBI_*", "NODE_ENV"],
  pull: [
    ...["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH", "HF_ENDPOINT"],
    ...["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_SYMLINKS"],
  ],
} as const;

const NOTHING: Needs = { read: [], write: [], env: [], run: [], net: false, sys: false, libraries: [] };

const telling = (needs: Partial<Needs>): Needs => ({ ...NOTHING, env: ["display"], ...needs });

const DEVICE = ["display", "device", "hub"] as const;

/** A command that opens a device. */
const onDevice = (needs: Partial<Needs>): Needs =>
  telling({
    ...{ libraries: ["C", "Vulkan"], env: DEVICE },
    ...needs,
    read: ["drivers", "tunings", ...needs.read ?? []],
  });

const PULL = telling({
  ...{ net: true, sys: true, libraries: ["C"], env: ["display", "hub", "pull"] },
  ...{ read: ["hub cache", "hub token"], write: ["hub cache"] },
});

/** What lies in the hub's cache, or in a folder that is named. */
const AT_HAND: Partial<Needs> = { env: ["display", "hub"], read: ["hub cache"] };

const CACHES: Partial<Needs> = { read: ["caches", "program"], env: ["display", "caches"], sys: true };

/** Each run is a process of its own, which gives up what it does not need. */
const SWEEP = onDevice({
  read: ["program", "hub cache", "sweep file", "sweep"],
  ...{ write: ["sweep"], run: ["softcot"], sys: true, env: [...DEVICE, "sweep"] },
});

/** By the command's words. */
export const PERMISSIONS: Readonly<Record<string, Needs>> = {
  train: onDevice({
    read: ["program", "hub cache", "model", "adapter", "data", "task", "reward", "run", "nats"],
    ...{ write: ["run"], env: [...DEVICE, "algebra", "nats"], net: "with --workers" },
    ...{ libraries: ["C", "Vulkan", "MPI"], run: ["own code", "mpirun"] },
  }),
  eval: onDevice({
    read: ["program", "hub cache", "model", "adapter", "data", "tasks", "results", "nats"],
    ...{ write: ["results"], run: ["git", "own code"], env: [...DEVICE, "algebra", "nats"] },
    net: "with --workers",
  }),
  worker: onDevice({
    ...{ net: true, env: [...DEVICE, "caches", "nats"] },
    ...{ read: ["nats", "worker files"], write: ["worker files"] },
  }),
  "eval check": telling({ read: ["pairs"], env: ["display", "algebra"] }),
  generate: onDevice({ read: ["hub cache", "model", "adapter", "task"], run: ["own code"] }),
  serve: onDevice({
    read: ["hub cache", "model", "adapter", "task", "api key"],
    ...{ net: "listens", run: ["own code"] },
  }),
  sft: onDevice({ read: ["hub cache", "model", "data", "results"], write: ["results"] }),
  sweep: SWEEP,
  "sweep claims": { ...SWEEP, run: ["git", "softcot"] },
  compare: telling({ read: ["compared runs"] }),
  /** What starts programs and listens is given up as soon as the page is there. */
  view: telling({
    ...{
      read: ["program", "viewed", "page", "beside the page"],
      write: ["index", "page"],
      env: ["display", "caches"],
    },
    ...{ run: ["deno", "the browser"], net: "listens", sys: true, libraries: ["C"] },
  }),
  report: telling({
    read: ["program", "compared runs", "packages", "page", "beside the page", "beside the report"],
    ...{ write: ["beside the report", "page"], env: ["display", "caches"], run: ["deno"], sys: true },
  }),
  "model pull": PULL,
  "model push": telling({
    ...{ net: true, libraries: ["C"], env: ["display", "hub", "pull"] },
    read: ["hub cache", "hub token", "model"],
  }),
  "model list": telling({ ...AT_HAND, read: ["hub cache", "runs"] }),
  "model info": onDevice({ read: ["hub cache", "model", "adapter"] }),
  "model export": telling({
    ...AT_HAND,
    ...{ read: ["hub cache", "model", "adapter", "beside the export"], write: ["beside the export"] },
  }),
  "model verify": telling({ ...AT_HAND, write: ["hub cache"] }),
  "data pull": { ...PULL, read: [...PULL.read, "tasks"] },
  "data list": telling({ ...AT_HAND, read: ["hub cache", "data"] }),
  "data show": telling({
    ...AT_HAND,
    ...{ read: ["hub cache", "tasks", "data", "beside the data"], run: ["own code"] },
  }),
  bench: onDevice({ read: ["program", "hub cache", "model"], write: ["tunings"], run: ["git"] }),
  forecast: telling({ ...AT_HAND, read: ["hub cache", "model", "rates"] }),
  doctor: onDevice({
    ...{
      sys: true,
      env: ["display", "device", "nats"],
      run: ["nvidia-smi", "mpirun"],
      net: "with --cluster",
    },
    ...{ read: ["program", "nats"], libraries: ["C", "Vulkan", "MPI"] },
  }),
  settings: telling({ read: ["task"], run: ["own code"] }),
  "settings eval": telling({}),
  "settings generate": telling({}),
  "settings sft": telling({}),
  version: telling({ read: ["program"], run: ["git"] }),
  licenses: telling({ read: ["program", "packages"], run: ["deno"] }),
  "cache list": telling({ ...CACHES }),
  "cache clear": telling({ ...CACHES, write: ["caches"] }),
  completions: telling({ ...AT_HAND, read: ["hub cache", "viewed"] }),
  help: telling({}),
};
