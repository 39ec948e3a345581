import { ValidationError } from "@cliffy/command";
import { GpuError, UserError } from "../../gpu/errors.ts";
import { modelOrBase } from "../defaults/model_or_base.ts";
import { giveUpKinds } from "../permissions/give_up.ts";
import { defineCommand } from "../settings/define_command.ts";
import { refuseIdleMixing } from "../settings/refuse_idle_mixing.ts";
import { watchInterrupt } from "../terminal/interrupt.ts";
import { say } from "../terminal/print.ts";
import { reportError } from "../terminal/report_error.ts";
import { withGpu } from "../vulkan/with_gpu.ts";
import { createKeyCheck } from "./api_key.ts";
import { createHandler, type Handler } from "./create_handler.ts";
import { loadServed } from "./load_served.ts";
import { serveSettings, type ServeValues } from "./serve_settings.ts";

/** `softcot serve`: a model behind OpenAI's HTTP interface. */
export const serveCommand = defineCommand({
  description: `Serve a model over HTTP, with soft thinking, behind OpenAI's interface.

POST /v1/chat/completions and /v1/completions, streamed or not; GET /v1/models, /health, /metrics. What is softcot's own stands under \
"softcot" in a request: thinking, gamma, tau, max_thinking, answer_tokens, show_mixtures, instruction.`,
  settings: serveSettings,
  opensDevice: true,
  examples: [
    ["The embedded model", "softcot serve"],
    [
      "A trained run, for other machines, with a key",
      "softcot serve -m runs/soft --host 0.0.0.0 --api-key key.txt",
    ],
  ],
  async run(values, context) {
    const isOwn = isLoopback(values.host);
    if (!isOwn && values.apiKey === undefined) {
      throw new ValidationError(
        `--host ${values.host} is open to other machines: --api-key is needed with it.`,
      );
    }
    if (values.thinking !== "none") refuseIdleMixing([values.thinking], context.origins, values.noiseOn);
    const given = { ...values, model: modelOrBase(values, context.origins) };
    const giveUp = new AbortController();
    const handler = createHandler({
      isKey: createKeyCheck(values.apiKey),
      mostBytes: values.mostBytes,
      mostSeconds: values.mostSeconds,
      hosts: isOwn ? ["localhost", "127.0.0.1", "[::1]", values.host] : undefined,
      signal: giveUp.signal,
      log: context.quiet ? () => {} : say,
      // What the device failed with is told as the process ends with it.
      fault: (error) => void (error instanceof GpuError || reportError(error)),
    });
    const server = listen(values, handler);
    // It listens: there is no other use of the network, and none is possible from here on.
    giveUpKinds("net");
    await withGpu(async (gpu) => {
      const served = await loadServed(gpu, given, context.origins, context.quiet);
      using watch = watchInterrupt("Finishing what is begun. Press Ctrl-C again to stop at once.");
      const { hostname, port } = server.addr as Deno.NetAddr;
      const url = `http://${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
      handler.serve(served);
      context.print({ url, model: served.name }, () => `${served.name} is served at ${url}`);
      const stopped = new Promise<null>((resolve) =>
        watch.signal.addEventListener("abort", () => resolve(null), { once: true })
      );
      const failure = await Promise.race([stopped, served.engine.failed.then((error) => ({ error }))]);
      if (failure) handler.fail();
      else handler.drain();
      await endServer(server, failure ? 1 : values.drainSeconds, giveUp);
      if (failure) throw failure.error;
      await served.engine.close();
    });
  },
});

const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);

/** @throws UserError if the port is taken, or the address is none of this machine's */
function listen({ host, port }: ServeValues, handler: Handler): Deno.HttpServer {
  try {
    return Deno.serve(
      { hostname: host, port, onListen: () => {} },
      (request, { remoteAddr }) => handler.handle(request, (remoteAddr as Deno.NetAddr).hostname),
    );
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) {
      throw new UserError(
        `Cannot listen on ${host} port ${port}: another program does, a free port is needed`,
        "choose another with --port, or any with --port 0",
      );
    }
    throw new UserError(`Cannot listen on ${host} port ${port}: ${(error as Error).message}`);
  }
}

/** No connection is taken any more; answers that are begun have their time. */
async function endServer(server: Deno.HttpServer, seconds: number, giveUp: AbortController): Promise<void> {
  const timer = setTimeout(() => giveUp.abort(), seconds * 1000);
  await Promise.race([
    server.shutdown(),
    new Promise((resolve) => giveUp.signal.addEventListener("abort", () => setTimeout(resolve, 1000))),
  ]);
  clearTimeout(timer);
}
