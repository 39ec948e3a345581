import project from "../../deno.json" with { type: "json" };
import type { Gpu } from "../../gpu/gpu.ts";
import { findDevice } from "../../gpu/device/choose_device.ts";
import { NVIDIA, nvidiaTrouble } from "../../gpu/device/nvidia_driver.ts";
import { openGpu } from "../../gpu/device/open_gpu.ts";
import { driversVariable } from "../../gpu/device/vulkan_driver.ts";
import { UserError } from "../../gpu/errors.ts";
import { PINNED_DENO } from "../facts/pinned_deno.ts";
import { defineCommand } from "../settings/define_command.ts";
import { flag, text } from "../settings/setting.ts";
import { natsFlags, USUAL_NATS, usualPlace } from "../worker/worker_flags.ts";
import { tryCluster } from "./cluster.ts";
import { describeDiagnosis } from "./describe_diagnosis.ts";
import type { Diagnosis, Finding } from "./diagnosis.ts";
import { type DeviceHere, devicesHere } from "./devices_here.ts";
import type { NvidiaCard } from "./nvidia_cards.ts";
import { tryOut } from "./try_out.ts";
import { describePermissions } from "../permissions/describe_permissions.ts";
import { PERMISSIONS } from "../permissions/permission_table.ts";

/** `softcot doctor`: is everything here that softcot needs? */
export const doctorCommand = defineCommand({
  description: `Look at the device and the installation, and try them.

Lists the devices, shows what the one that is used grants, and whether the kernels compute rightly on it: matrix products, attention, \
random numbers, a long loop, a few steps of a small model. Memory is what trainings and evaluations are held against: a card's own, or of a software device \
that of this machine; a binding is the largest piece of it that a kernel sees at once, and larger weights are split. Ends with status 1 if something is missing, and says what to do.`,
  settings: {
    all: flag("Show all that the device grants, too, and what each command may do on this machine"),
    cluster: flag(
      "Try Open MPI and NATS instead: sums among two processes, or those that mpirun or srun started",
    ),
    workers: text("With --cluster: the NATS server to look at", {
      defaultText: `that of NATS_URL, else ${USUAL_NATS}`,
      placeholder: "url",
    }),
    ...natsFlags,
  },
  opensDevice: true,
  examples: [
    ["What is here", "softcot doctor"],
    ["All that is known of it", "softcot doctor --all"],
    ["For a bug report", "softcot doctor --json"],
    ["Several machines", "mpirun -n 16 --hostfile hosts softcot doctor --cluster"],
  ],
  async run({ all, cluster, workers, ...nats }, { print }) {
    if (cluster) {
      Deno.exitCode = await tryCluster(usualPlace(workers, nats), print);
      return;
    }
    const diagnosis = await diagnose();
    print(
      { ...diagnosis, permissions: PERMISSIONS },
      () =>
        all
          ? `${describeDiagnosis(diagnosis, true)}\n\n${describePermissions()}`
          : describeDiagnosis(diagnosis),
    );
    const missing = diagnosis.findings.find(({ state }) => state === "missing");
    if (missing) {
      throw new UserError(`Cannot work on this machine: ${missing.name}: ${missing.found}`, missing.hint);
    }
  },
});

async function diagnose(): Promise<Diagnosis> {
  const findings = [denoVersion(), memory()];
  const versions = { softcot: project.version, deno: Deno.version.deno, v8: Deno.version.v8 };
  const { devices, hidden, trouble } = await devicesHere();
  findings.push(...hidden.map((card) => hiddenCard(card, devices)));
  if (trouble !== undefined) findings.push(silentTool(trouble));
  let gpu: Gpu;
  try {
    gpu = await openGpu();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    findings.push({ name: "device", state: "missing", found: error.message, hint: error.hint });
    return { ok: false, versions, findings, devices };
  }
  try {
    findings.push(...limits(gpu), ...await tryOut(gpu));
    const { adapter, subgroupSize, matmulFamily, pipelines } = gpu;
    return {
      ok: findings.every(({ state }) => state !== "missing"),
      versions,
      findings,
      devices,
      device: {
        number: usedNumber(devices),
        ...adapter,
        backend: Deno.env.get("DENO_WEBGPU_BACKEND") ?? "unknown",
        subgroupSize,
        matmulFamily,
        limits: Object.fromEntries(SHOWN_LIMITS.map((name) => [name, gpu.device.limits[name]])),
        pipelines: pipelines.size,
      },
    };
  } finally {
    gpu.close();
  }
}

/** A card that NVIDIA's own tool sees, and no driver of Vulkan's. */
function hiddenCard({ name, pci }: NvidiaCard, devices: readonly DeviceHere[]): Finding {
  const variable = driversVariable();
  const hint = devices.some(({ vendorId }) => vendorId === NVIDIA)
    ? "its driver lists others: let this process open all of /dev/nvidia* (containers and Slurm hand out some of them); a card in MIG mode " +
      "has no Vulkan"
    : variable
    ? `${variable} in the environment says which drivers count`
    : nvidiaTrouble(() => devices)?.hint ??
      "its Vulkan driver is missing: in a container, NVIDIA_DRIVER_CAPABILITIES=all brings it";
  const found = `nvidia-smi lists ${name} at ${pci}, Vulkan does not`;
  return { name: "hidden GPU", state: "note", found, hint };
}

const silentTool = (found: string): Finding => ({
  name: "nvidia-smi",
  state: "note",
  found,
  hint:
    "dmesg may say why: a card that has fallen off the bus, or a kernel driver of another version than its libraries",
});

/** The number of the device that was opened: what was asked for, or what WebGPU prefers. */
function usedNumber(devices: readonly DeviceHere[]): number | undefined {
  const wanted = Deno.env.get("SOFTCOT_GPU");
  return (wanted ? findDevice(wanted, devices) : devices.find(({ preferred }) => preferred))?.number;
}

function denoVersion(): Finding {
  const here = Deno.version.deno;
  return here === PINNED_DENO ? { name: "Deno", state: "ok", found: `${here}, the pinned version` } : {
    name: "Deno",
    state: "note",
    found: `${here}; ${PINNED_DENO} is the version that is tested`,
    hint: "./softcot installs it",
  };
}

function memory(): Finding {
  const { total, available } = Deno.systemMemoryInfo();
  const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  // The embedded model's training holds less than half of this.
  const isEnough = available > 2 ** 30;
  const found = `${gib(available)} free of ${gib(total)}, ${navigator.hardwareConcurrency} cores`;
  return isEnough
    ? { name: "memory", state: "ok", found }
    : { name: "memory", state: "note", found, hint: "1 GiB or more is advised" };
}

const SHOWN_LIMITS = [
  "maxStorageBufferBindingSize",
  "maxBufferSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupsPerDimension",
] as const;

/** What the largest kernels need: the attention's backward binds 10 buffers, its tiles are of 256 invocations. */
const NEEDED: Partial<Record<typeof SHOWN_LIMITS[number], number>> = {
  maxStorageBuffersPerShaderStage: 10,
  maxComputeWorkgroupStorageSize: 16384,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupsPerDimension: 65535,
};

function limits(gpu: Gpu): Finding[] {
  return Object.entries(NEEDED).filter(([name, least]) =>
    gpu.device.limits[name as keyof typeof NEEDED] < least
  ).map(
    ([name, least]) => ({
      name,
      state: "missing",
      found: `${gpu.device.limits[name as keyof typeof NEEDED]}, at least ${least} is needed`,
      hint: "choose another device with --gpu",
    }),
  );
}
