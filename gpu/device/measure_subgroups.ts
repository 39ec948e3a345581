import { UserError } from "../errors.ts";

/** What a device makes of subgroups. */
interface Subgroups {
  /** What the text of a kernel must begin with: nothing where the directive is refused, else `enable subgroups;`. */
  wgslHead: string;
  /** Lanes of a subgroup in one pipeline; others may get fewer or more, where the driver may choose. */
  size: number;
}

const CODE = `@group(0) @binding(0) var<storage, read_write> out: array<u32>;
@compute @workgroup_size(64) fn main(@builtin(subgroup_size) size: u32) { out[0] = size; }`;

/**
 * Runs one workgroup and reads how many lanes share its subgroup.
 * @throws UserError if no kernel with subgroup operations compiles
 */
export async function measureSubgroups(device: GPUDevice): Promise<Subgroups> {
  // naga knows subgroups without the directive and refuses it; Tint refuses them without.
  for (const wgslHead of ["", "enable subgroups;\n"]) {
    device.pushErrorScope("validation");
    const module = device.createShaderModule({ label: "subgroup_size", code: wgslHead + CODE });
    const pipeline = device.createComputePipeline({
      label: "subgroup_size",
      layout: "auto",
      compute: { module, entryPoint: "main" },
    });
    if (await device.popErrorScope() === null) return { wgslHead, size: await run(device, pipeline) };
  }
  throw new UserError(
    "Cannot use the GPU: no kernel with subgroup operations compiles, they are needed",
    "update its Vulkan driver, or choose another one with --gpu: softcot doctor lists them",
  );
}

async function run(device: GPUDevice, pipeline: GPUComputePipeline): Promise<number> {
  const buffer = device.createBuffer({
    label: "subgroup_size",
    size: 4,
    usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC,
  });
  const read = device.createBuffer({
    label: "subgroup_size read",
    size: 4,
    usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  });
  const encoder = device.createCommandEncoder({ label: "subgroup_size" });
  const pass = encoder.beginComputePass({ label: "subgroup_size" });
  pass.setPipeline(pipeline);
  pass.setBindGroup(
    0,
    device.createBindGroup({
      label: "subgroup_size",
      layout: pipeline.getBindGroupLayout(0),
      entries: [{ binding: 0, resource: { buffer } }],
    }),
  );
  pass.dispatchWorkgroups(1);
  pass.end();
  encoder.copyBufferToBuffer(buffer, 0, read, 0, 4);
  device.queue.submit([encoder.finish()]);
  await read.mapAsync(GPUMapMode.READ);
  const size = new Uint32Array(read.getMappedRange())[0];
  read.unmap();
  buffer.destroy();
  read.destroy();
  return size;
}
