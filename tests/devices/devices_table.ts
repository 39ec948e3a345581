/**
 * A program: all tests of kernels, and three updates in each way of thinking with the kernels of both families, on software devices of 2, 4, 8 and 16
 * lanes, on SwiftShader and on Mesa 25; a table, and at last whether all is well.
 *
 *     deno run -A tests/devices/fetch_devices.ts
 *     deno run -A tests/devices/devices_table.ts [--devices "16 lanes,SwiftShader"] [--tests tests/gpu] [--logs FOLDER] [--jobs 2] [--short]
 *
 * With `--short` one update in two ways, and few tests; with `--jobs` several devices at a time. A whole table takes an hour on two cores,
 * mostly of the driver's compiler.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { onDevice } from "./on_device.ts";
import { type SoftwareDevice, softwareDevices } from "./software_devices.ts";
import type { WayTrained } from "./train_ways.ts";

/** What a device came to. */
export interface DeviceResult {
  device: SoftwareDevice;
  passed: number;
  failed: number;
  /** Of the trainings; empty where the program failed. */
  trained: WayTrained[];
  seconds: number;
  /** What is wrong, as text. */
  faults: string[];
}

/** Tests that show a wrong count of lanes soonest: norms, look-ups, rows and heads that must agree to the bit. */
export const SHORT_TESTS = [
  "tests/gpu/rms_norm_test.ts",
  "tests/gpu/gather_test.ts",
  "tests/gpu/agreement_test.ts",
];
/** Flags of a short training. */
export const SHORT_TRAINING = ["--steps", "1", "--ways", "soft,neighbours"];

/** Runs test files and a training on a device. */
export async function tryDevice(
  device: SoftwareDevice,
  tests: readonly string[],
  training: readonly string[],
  log?: string,
): Promise<DeviceResult> {
  // Kept for one run alone, and for one device: whatever it is filled with was compiled here.
  const cache = await Deno.makeTempDir({ prefix: "softcot-shaders-" });
  try {
    const tested = await onDevice(device, ["test", "-A", "--no-check", ...tests], cache, log);
    const count = (what: string) =>
      Number(new RegExp(`(\\d+) ${what}`).exec(lastSummary(tested.stdout))?.[1] ?? 0);
    const ran = await onDevice(
      device,
      ["run", "-A", "--no-check", "tests/devices/train_ways.ts", ...training],
      cache,
      log,
    );
    const trained = ran.stdout.split("\n").filter(Boolean).map((line): WayTrained => JSON.parse(line));
    const faults = [
      ...(tested.success ? [] : [`${tests.join(" ")} failed: ${failuresIn(tested.stdout).join("; ")}`]),
      ...(ran.success ? [] : [`the training failed: ${ran.stderr.trim().split("\n").at(-1)}`]),
      ...trained.flatMap(({ way, family, lanes, mismatch }) => [
        ...(mismatch === 0 ? [] : [`${way}, ${family}: mismatch ${mismatch}`]),
        ...(lanes === device.lanes ? [] : [`${way}, ${family}: kernels for ${lanes} lanes`]),
      ]),
    ];
    const seconds = tested.seconds + ran.seconds;
    return { device, passed: count("passed"), failed: count("failed"), trained, seconds, faults };
  } finally {
    await Deno.remove(cache, { recursive: true });
  }
}

/** Names of the tests that failed; the last line where the process died in one. */
function failuresIn(output: string): string[] {
  const lines = output.trimEnd().split("\n");
  const failed = lines.filter((line) => line.includes(" ... FAILED"));
  return failed.length > 0 ? failed : lines.slice(-1);
}

const lastSummary = (output: string): string =>
  output.split("\n").findLast((line) => /^(ok|FAILED) \| \d+ passed/.test(line)) ?? "";

/** Trainings whose rewards are not, step by step, those of another device; what it did not train is not compared. */
export function otherRewards({ trained }: DeviceResult, first: DeviceResult): string[] {
  return trained.flatMap(({ way, family, rewards }) => {
    const same = first.trained.find((one) => one.way === way && one.family === family);
    const isEqual = !same || JSON.stringify(same.rewards) === JSON.stringify(rewards);
    return isEqual
      ? []
      : [`${way}, ${family}: rewards ${rewards}, not ${same.rewards} as on ${first.device.name}`];
  });
}

function row({ device, passed, failed, trained, seconds }: DeviceResult, others: readonly string[]): string {
  const of = (family: string) => trained.filter((one) => one.family === family);
  const worst = (family: string) => Math.max(...of(family).map(({ mismatch }) => mismatch ?? NaN));
  const mismatch = ["broadcast", "tile"].map((family) => of(family).length ? `${worst(family)}` : "none ran");
  const same = others.length === 0 ? "equal" : "others";
  const cells = [
    device.name,
    passed,
    failed,
    trained.length,
    ...mismatch,
    same,
    `${(seconds / 60).toFixed(1)} min`,
  ];
  return `| ${cells.join(" | ")} |`;
}

/** Tries devices, some at a time, and gives what each came to in their order. */
async function tryAll(
  devices: readonly SoftwareDevice[],
  jobs: number,
  of: (device: SoftwareDevice) => Promise<DeviceResult>,
): Promise<DeviceResult[]> {
  const results: DeviceResult[] = [];
  const waiting = [...devices.entries()];
  async function work(): Promise<void> {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [index, device] = next;
      results[index] = await of(device);
      const { passed, failed, trained } = results[index];
      console.warn(`${device.name}: ${passed} passed, ${failed} failed, ${trained.length} trainings`);
    }
  }
  await Promise.all(Array.from({ length: jobs }, work));
  return results;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      ...{
        devices: { type: "string" },
        tests: { type: "string", default: "tests/gpu" },
        logs: { type: "string" },
        jobs: { type: "string", default: "1" },
      },
      short: { type: "boolean", default: false },
    },
  });
  const wanted = values.devices?.split(",");
  const devices = softwareDevices().filter(({ name }) => !wanted || wanted.includes(name));
  const tests = values.short ? SHORT_TESTS : values.tests.split(",");
  const results = await tryAll(devices.filter(({ missing }) => !missing), Number(values.jobs), (device) => {
    const log = values.logs && `${values.logs}/${device.name.replaceAll(" ", "-")}.log`;
    return tryDevice(device, tests, values.short ? SHORT_TRAINING : [], log);
  });
  console.log(
    "| device | tests passed | failed | trainings | mismatch, broadcast | mismatch, tile | rewards | time |",
  );
  console.log("|---|---|---|---|---|---|---|---|");
  for (const result of results) {
    const others = otherRewards(result, results[0]);
    result.faults.push(...others);
    console.log(row(result, others));
  }
  for (const { name, missing } of devices) if (missing) console.log(`| ${name} | not here: ${missing} |`);
  const faults = results.flatMap(({ device, faults }) => faults.map((fault) => `${device.name}: ${fault}`));
  for (const fault of faults) console.log(fault);
  Deno.exit(faults.length > 0 || results.length === 0 ? 1 : 0);
}
