/** What the adapter says of itself, with the features that were granted. */
export interface AdapterFacts {
  /** Name with the driver's description. */
  name: string;
  /** As WebGPU reports it. */
  vendor: string;
  /** As WebGPU reports it; often empty. */
  architecture: string;
  /** As WebGPU reports it: driver and version. */
  description: string;
  /** Whether it computes on the CPU. */
  software: boolean;
  /** Granted ones, sorted. */
  features: string[];
  /** Its place on the bus, where it was chosen among others: as it was asked for, since WebGPU tells of an adapter only name and model. */
  pci?: string;
}

/** What a workgroup may have, from the device's limits. */
export interface WorkgroupLimits {
  /** Invocations in one dimension. */
  threads: number;
  /** Bytes of workgroup memory. */
  bytes: number;
  /** The fewest lanes that a kernel's subgroups may have; 1 where the adapter does not say. */
  minSubgroup: number;
  /** The most. */
  maxSubgroup: number;
}

/** What an adapter computes on: Mesa's software device, whose threads can be placed, another software device, or a GPU. */
type AdapterKind = "llvmpipe" | "software" | "gpu";

/** The kind of an adapter, by what it says of itself: WebGPU does not tell. */
export function adapterKind({ info }: GPUAdapter): AdapterKind {
  const text = `${info.vendor} ${info.architecture} ${info.device} ${info.description}`.toLowerCase();
  if (text.includes("llvmpipe")) return "llvmpipe";
  return /lavapipe|swiftshader|cpu/.test(text) ? "software" : "gpu";
}

/** What an adapter says of itself once it has given a device. */
export function adapterFacts(adapter: GPUAdapter, { features }: GPUDevice): AdapterFacts {
  const info = adapter.info;
  // Some give a bare number of the device: the description alone names it then.
  const device = /^(0x[\da-f]+|\d*)$/i.test(info.device) ? "" : info.device;
  const name = device || info.description || info.vendor || "unknown";
  return {
    name: device && info.description ? `${device} (${info.description})` : name,
    vendor: info.vendor,
    architecture: info.architecture,
    description: info.description,
    software: adapterKind(adapter) !== "gpu",
    features: [...features as unknown as Iterable<string>].sort(),
  };
}

/** An adapter as people are told of it: with its place on the bus where it was chosen among others. */
export const toldAdapter = ({ name, pci }: Pick<AdapterFacts, "name" | "pci">): string =>
  pci ? `${name} at ${pci}` : name;

/** What its workgroups may have. */
export function workgroupLimits({ info }: GPUAdapter, { limits }: GPUDevice): WorkgroupLimits {
  const { subgroupMinSize: minSubgroup, subgroupMaxSize: maxSubgroup } = info as Partial<
    Record<"subgroupMinSize" | "subgroupMaxSize", number>
  >;
  return {
    threads: Math.min(limits.maxComputeInvocationsPerWorkgroup, limits.maxComputeWorkgroupSizeX),
    bytes: limits.maxComputeWorkgroupStorageSize,
    ...(minSubgroup && maxSubgroup
      ? { minSubgroup, maxSubgroup }
      : { minSubgroup: 1, maxSubgroup: Infinity }),
  };
}
