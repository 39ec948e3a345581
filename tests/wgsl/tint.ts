/**
 * A program: reads [[WGSL, label], ...] as JSON from its input and writes what Tint, which Chrome and Dawn compile with, says of each that it
 * refuses: [{ label, message }, ...]. Its argument names the package that brings Dawn. No device is needed.
 *
 * @module
 */

/** Status where the package cannot be had. */
const NOT_HERE = 3;

/** As much of Dawn's package as is used. */
interface Dawn {
  create(flags: string[]): GPU;
  globals: Record<string, unknown>;
}

const texts: [string, string][] = await new Response(Deno.stdin.readable).json();
const { create, globals }: Dawn = await import(Deno.args[0]).catch((error) => {
  console.error(error.message);
  Deno.exit(NOT_HERE);
});
Object.assign(globalThis, globals);
// Collected, it would take the process with it.
const gpu = create(["backend=null"]);
const adapter = await gpu.requestAdapter();
const device = await adapter!.requestDevice({ requiredFeatures: ["subgroups" as GPUFeatureName] });
const refused: { label: string; message: string }[] = [];
for (const [code, label] of texts) {
  device.pushErrorScope("validation");
  const module = device.createShaderModule({ label, code: `enable subgroups;\n${code}` });
  const { messages } = await module.getCompilationInfo();
  await device.popErrorScope();
  const bad = messages.find(({ type }) => type !== "info");
  if (bad) {
    const line = code.split("\n")[bad.lineNum - 2] ?? "";
    refused.push({
      label,
      message: `${bad.type}: ${bad.message} in line ${bad.lineNum - 1}: ${line.trim()}`,
    });
  }
}
console.log(JSON.stringify(refused));
device.destroy();
Deno.exit(gpu ? 0 : 1);
