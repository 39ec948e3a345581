import { inBytes } from "../terminal/in_bytes.ts";
import { table } from "../terminal/table.ts";
import { describeDevices } from "./devices_here.ts";
import type { Diagnosis } from "./diagnosis.ts";

/**
 * What doctor found, for people.
 *
 * @param all every limit and feature of the device, too
 */
export function describeDiagnosis({ device, devices, findings, versions }: Diagnosis, all = false): string {
  const marks = { ok: "ok", note: "note", missing: "MISSING" };
  const rows = findings.map(({ name, state, found, hint }) => [
    marks[state],
    name,
    hint && state === "note" ? `${found} (${hint})` : found,
  ]);
  return [
    `softcot ${versions.softcot}, Deno ${versions.deno}`,
    ...(devices.length > 0 ? [describeDevices(devices, device?.number)] : []),
    ...(device ? [all ? describeGrants(device) : describeUse(device)] : []),
    table(rows, { align: ["left", "left", "left"] }),
    ...(all ? [] : ["All that the device grants, and what each command may do: softcot doctor --all"]),
  ].join("\n\n");
}

type UsedDevice = NonNullable<Diagnosis["device"]>;

const describeUse = ({ number, name, software, matmulFamily, subgroupSize, limits }: UsedDevice): string =>
  `Used is ${number === undefined ? name : `device ${number}`}, ${software ? "software" : "a GPU"}: ` +
  `${matmulFamily} kernels, subgroups of ${subgroupSize}, bindings of up to ${
    inBytes(limits.maxStorageBufferBindingSize)
  }`;

function describeGrants(device: UsedDevice): string {
  const granted = (feature: string) => device.features.includes(feature);
  return table([
    ["device", device.description || device.name],
    ["vendor", [device.vendor, device.architecture].filter(Boolean).join(" ")],
    ["kind", device.software ? "software" : "GPU"],
    ["backend", device.backend],
    ["subgroup size", device.subgroupSize],
    ["matmul kernels", device.matmulFamily],
    ["packed f16", granted("shader-f16") ? "granted" : "not granted; not needed"],
    ["time stamps", granted("timestamp-query") ? "granted" : "not granted: no profile"],
    ["features", device.features.join(", ")],
    ...Object.entries(device.limits).map(([name, value]) => [name, value]),
    ["pipelines", `${device.pipelines} after the tests`],
  ], { align: ["left", "left"] });
}
