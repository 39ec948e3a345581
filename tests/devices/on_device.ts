import { root } from "../support/places.ts";
import type { SoftwareDevice } from "./software_devices.ts";

/** What a process on a device came to. */
export interface OnDevice {
  success: boolean;
  stdout: string;
  stderr: string;
  seconds: number;
}

/**
 * Runs Deno in a process that opens the device.
 * @param cache a folder for what the driver compiles, for this device alone: Mesa 22.3 takes kernels compiled for another width for its own
 * @param log a file that gets all output as it comes
 */
export async function onDevice(
  { env }: SoftwareDevice,
  args: string[],
  cache: string,
  log?: string,
): Promise<OnDevice> {
  const started = performance.now();
  const child = new Deno.Command(Deno.execPath(), {
    args,
    cwd: root,
    env: {
      ...env,
      DENO_WEBGPU_BACKEND: "vulkan",
      MESA_SHADER_CACHE_DIR: cache,
      NO_COLOR: "1",
      XDG_RUNTIME_DIR: "/dev/null",
    },
    ...{ stdin: "null", stdout: "piped", stderr: "piped" },
  }).spawn();
  const [stdout, stderr, { success }] = await Promise.all([
    collect(child.stdout, log),
    collect(child.stderr, log),
    child.status,
  ]);
  return { success, stdout, stderr, seconds: (performance.now() - started) / 1000 };
}

async function collect(stream: ReadableStream<Uint8Array>, log: string | undefined): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of stream) {
    const piece = decoder.decode(bytes, { stream: true });
    text += piece;
    if (log) Deno.writeTextFileSync(log, piece, { append: true });
  }
  return text;
}
