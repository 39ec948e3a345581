/**
 * A program: opens a device through Dawn, as Chrome would, with the kernels of each family, tries products on it, and writes what it found as JSON.
 * Its argument names the package that brings Dawn.
 *
 * @module
 */
import { matmulError } from "../../gpu/device/matmul_error.ts";
import { openGpu } from "../../gpu/device/open_gpu.ts";

const { create, globals } = await import(Deno.args[0]);
for (const [name, value] of Object.entries(globals)) {
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
}
Object.defineProperty(navigator, "gpu", { value: create([]), configurable: true });
// It divides by the size of an element, of which it knows none of Float16Array.
const { writeBuffer } = GPUQueue.prototype;
GPUQueue.prototype.writeBuffer = function (buffer, at, data, ...range) {
  const bytes = data instanceof Float16Array
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : data;
  return writeBuffer.call(this, buffer, at, bytes, ...range);
};

const found = [];
for (const matmulFamily of ["broadcast", "tile"] as const) {
  const gpu = await openGpu({ matmulFamily });
  const errors = [];
  for (const dtype of ["f32", "f16"] as const) {
    for (const sizes of [[2, 128, 68], [37, 53, 29], [40, 64, 64]] as const) {
      errors.push(await matmulError(gpu, sizes, dtype));
    }
  }
  found.push({ matmulFamily, wgslHead: gpu.wgslHead, subgroupSize: gpu.subgroupSize, errors });
}
console.log(JSON.stringify(found));
// Dawn does not survive the end of its devices.
Deno.exit(0);
