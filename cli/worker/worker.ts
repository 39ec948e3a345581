import { readSystemFile } from "../../gpu/device/system_files.ts";
import { openGpu } from "../../gpu/device/open_gpu.ts";
import { toldAdapter } from "../../gpu/adapter.ts";
import { UserError } from "../../gpu/errors.ts";
import { shownPlace } from "../../rl/workers/connect_nats.ts";
import { work } from "../../rl/workers/work.ts";
import { OWN_VERSION } from "../facts/own_version.ts";
import { defineCommand } from "../settings/define_command.ts";
import { text } from "../settings/setting.ts";
import { inBytes } from "../terminal/in_bytes.ts";
import { watchInterrupt } from "../terminal/interrupt.ts";
import { say } from "../terminal/print.ts";
import { workerFolder } from "./worker_folder.ts";
import { natsFlags, USUAL_NATS, usualPlace } from "./worker_flags.ts";

/** `softcot worker`: makes rollouts for trainings and evaluations of other machines. */
export const workerCommand = defineCommand({
  description: `Make rollouts for trainings and evaluations that run elsewhere.

Takes jobs from the queue of a NATS server, fetches the weights that they name from whoever gives them, and sends the rollouts back, until it \
is stopped: softcot train --workers URL and softcot eval --workers URL give jobs. Any number of workers may come and go at any time; a job \
that one leaves undone goes to another. A rollout is the same whoever makes it, on devices of one kind to the bit.`,
  arguments: [["[url:string]", `the NATS server (default: that of NATS_URL, else ${USUAL_NATS})`]],
  settings: {
    name: text("What the worker is called where it is told of", {
      defaultText: "its machine and process",
      placeholder: "name",
    }),
    ...natsFlags,
  },
  opensDevice: true,
  examples: [
    ["For trainings on this machine", "softcot worker"],
    ["For those of another, on the second GPU", "softcot worker nats://10.0.0.5 --gpu 1"],
  ],
  async run({ name, ...values }, { args: [url], quiet }) {
    const place = usualPlace(url, values);
    const files = workerFolder();
    if (files === undefined) {
      throw new UserError(
        "Cannot keep the weights that jobs name: none of the cache's folders is this user's alone",
        "SOFTCOT_CACHE names a folder for it",
      );
    }
    const called = name ?? `${readSystemFile("/proc/sys/kernel/hostname")?.trim() ?? "worker"}-${Deno.pid}`;
    const tell = (line: string) => quiet || say(line);
    using interrupt = watchInterrupt(
      "Stopping: the job in hand goes to another. Press Ctrl-C again to stop at once.",
    );
    let told = false;
    await work({
      ...{ nats: place, name: called, version: OWN_VERSION, place: files, signal: interrupt.signal, say },
      async openDevice() {
        const gpu = await openGpu();
        if (!told) tell(`device   ${toldAdapter(gpu.adapter)}`);
        told = true;
        return gpu;
      },
      ready: () => tell(`worker   ${called} waits for jobs at ${shownPlace(place)}`),
      done({ rollouts, seconds, bytes, fetched }) {
        tell(
          `made     ${rollouts} rollouts in ${seconds.toFixed(1)} s (${
            (rollouts / seconds).toPrecision(3)
          } a second), ` +
            `sent ${inBytes(bytes)}${fetched > 0 ? `, fetched ${inBytes(fetched)}` : ""}`,
        );
      },
    });
    tell("stopped");
  },
});
