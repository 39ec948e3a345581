import type { Gpu } from "./gpu.ts";
import { type Pipeline, UNIFORM_SLOT } from "./pipeline.ts";
import { show, type Tensor } from "./tensor.ts";

/** A kernel's source: a label that is unique for the text, and the text. */
export interface KernelSource {
  label: string;
  code: () => string;
}

/**
 * Encodes one dispatch. `params` must hold every field of the kernel's `struct Params`, and nothing else.
 * Kernels read their shapes from there, so one pipeline serves all shapes.
 * @param groups workgroups in x, y, z: each at most 65,535
 * @throws Error on a wrong number of tensors, a missing field or too many workgroups, before anything is encoded.
 */
export function run(
  gpu: Gpu,
  source: KernelSource,
  tensors: readonly Tensor[],
  params: Record<string, number>,
  groups: readonly [number, number?, number?],
): void {
  const kernel = gpu.pipelines.get(source.label) ?? compile(gpu, source);
  if (tensors.length !== kernel.storages) {
    throw new Error(`Cannot run ${kernel.label}: ${tensors.length} tensors given, ${kernel.storages} needed`);
  }
  for (const n of groups) {
    if (n === undefined) continue;
    if (n === 0) return;
    if (n > 65535) {
      throw new Error(`Cannot run ${kernel.label}: ${groups} workgroups, at most 65535 a dimension`);
    }
  }
  gpu.commands.dispatch(kernel, bindGroup(gpu, kernel, tensors), params, groups);
}

/** A grid of `count` workgroups, in two dimensions where they are more than 65,535: kernels rebuild the index. */
export function grid(count: number): [number, number] {
  return count <= 65535 ? [count, 1] : [32768, Math.ceil(count / 32768)];
}

function bindGroup(gpu: Gpu, kernel: Pipeline, tensors: readonly Tensor[]): GPUBindGroup {
  let key = "";
  for (const tensor of tensors) key += tensor.storage.id + ":" + tensor.offset + ",";
  const known = kernel.groups.get(key);
  if (known) return known;
  const entries: GPUBindGroupEntry[] = [
    { binding: 0, resource: { buffer: gpu.commands.uniforms, size: UNIFORM_SLOT } },
  ];
  tensors.forEach((tensor, i) => {
    // The rest of the buffer, not the tensor's own bytes: fewer distinct bind groups as shapes change.
    const size = tensor.storage.bytes - tensor.offset;
    const limit = gpu.device.limits.maxStorageBufferBindingSize;
    if (size > limit) {
      throw new Error(
        `Cannot bind ${show(tensor)} to ${kernel.label}: ${size} bytes, at most ${limit}`,
      );
    }
    entries.push({
      binding: i + 1,
      resource: { buffer: tensor.storage.buffer, offset: tensor.offset, size },
    });
  });
  const group = gpu.device.createBindGroup({ label: kernel.label, layout: kernel.layout, entries });
  kernel.groups.set(key, group);
  return group;
}

const FIELD = /(\w+)\s*:\s*(u32|i32|f32)\s*,?/g;
const BINDING = /@binding\((\d+)\)\s*var<storage,\s*(read_write|read)>/g;

function compile(gpu: Gpu, source: KernelSource): Pipeline {
  const { label } = source;
  const code = source.code();
  const struct = /struct Params \{([^}]*)\}/.exec(code)?.[1];
  if (struct === undefined) throw new Error(`Cannot compile ${label}: it has no struct Params`);
  const fields = [...struct.replace(/\/\/.*/g, "").matchAll(FIELD)].map((m) => ({
    name: m[1],
    float: m[2] === "f32",
  }));
  if (fields.length * 4 > UNIFORM_SLOT) {
    throw new Error(`Cannot compile ${label}: its Params exceed one uniform slot`);
  }
  const bindings = [...code.matchAll(BINDING)].map((m) => ({
    index: Number(m[1]),
    write: m[2] === "read_write",
  }));
  bindings.sort((a, b) => a.index - b.index);
  const { device } = gpu;
  device.pushErrorScope("validation");
  const layout = device.createBindGroupLayout({
    label,
    entries: [
      { binding: 0, visibility: GPUShaderStage.COMPUTE, buffer: { type: "uniform", hasDynamicOffset: true } },
      ...bindings.map(({ index, write }): GPUBindGroupLayoutEntry => ({
        binding: index,
        visibility: GPUShaderStage.COMPUTE,
        buffer: { type: write ? "storage" : "read-only-storage" },
      })),
    ],
  });
  const module = device.createShaderModule({ label, code: gpu.wgslHead + code });
  const pipeline = device.createComputePipeline({
    label,
    layout: device.createPipelineLayout({ label, bindGroupLayouts: [layout] }),
    compute: { module, entryPoint: "main" },
  });
  gpu.errors.watch(device.popErrorScope(), `kernel ${label}`);
  const kernel = { label, pipeline, layout, fields, storages: bindings.length, groups: new Map() };
  gpu.pipelines.set(label, kernel);
  return kernel;
}
