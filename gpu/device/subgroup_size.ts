/** Runs one workgroup and reads how many lanes share its subgroup. */
export async function measureSubgroupSize(device: GPUDevice): Promise<number> {
  const code = `@group(0) @binding(0) var<storage, read_write> out: array<u32>;
@compute @workgroup_size(64) fn main(@builtin(subgroup_size) size: u32) { out[0] = size; }`;
  const pipeline = device.createComputePipeline({
    label: "subgroup_size",
    layout: "auto",
    compute: { module: device.createShaderModule({ label: "subgroup_size", code }), entryPoint: "main" },
  });
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
