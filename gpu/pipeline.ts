/** Bytes of the uniform slot of one dispatch. */
export const UNIFORM_SLOT = 256;

/** A compiled kernel: what its source declares, and the pipeline. */
export interface Pipeline {
  /** Unique for the source's text. */
  label: string;
  /** The compiled kernel. */
  pipeline: GPUComputePipeline;
  /** Layout of its one bind group. */
  layout: GPUBindGroupLayout;
  /** Fields of `struct Params`, in order: 4 bytes each. */
  fields: { name: string; float: boolean }[];
  /** Number of storage bindings; they are bindings 1..count, binding 0 is the Params uniform. */
  storages: number;
  /** Bind groups by the tensors they name. */
  groups: Map<string, GPUBindGroup>;
}
