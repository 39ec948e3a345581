import type { Hub } from "./hub.ts";
import { type About, broken, refusal, strange, TransientError } from "./hub_errors.ts";

/** A request in the making; `alive` is told of each sign of life, for without one it is aborted. */
interface RequestClock extends Disposable {
  signal: AbortSignal;
  alive(): void;
}

/** Starts the clock of a request. */
export function startRequest(hub: Hub): RequestClock {
  const controller = new AbortController();
  const give = () => controller.abort(new TransientError(`nothing came for ${hub.patience / 1000} s`));
  let timer = setTimeout(give, hub.patience);
  const stop = () => controller.abort(hub.signal!.reason);
  if (hub.signal?.aborted) stop();
  hub.signal?.addEventListener("abort", stop, { once: true });
  return {
    signal: controller.signal,
    alive: () => {
      clearTimeout(timer);
      timer = setTimeout(give, hub.patience);
    },
    [Symbol.dispose]: () => {
      clearTimeout(timer);
      hub.signal?.removeEventListener("abort", stop);
      // Lets go of a connection whose body was not read to its end.
      controller.abort();
    },
  };
}

/**
 * Sends a request and follows where it is sent on; the token goes to the endpoint's origin alone, for a link to a
 * content network carries its own rights, and the token is nobody else's business. From https nothing leads to http.
 *
 * @returns a response of status 200, 206 or 416
 * @throws TransientError if trying again may help, UserError if it will not
 */
export async function follow(
  hub: Hub,
  url: string,
  about: About,
  headers: Record<string, string>,
  signal: AbortSignal,
  onHop: (response: Response) => void = () => {},
): Promise<Response> {
  for (let hops = 0; hops < 10; hops++) {
    const own = new URL(url).origin === new URL(hub.endpoint).origin;
    const identity = { "user-agent": "softcot", "accept-encoding": "identity", ...headers };
    const rights: Record<string, string> = own && hub.token ? { authorization: `Bearer ${hub.token}` } : {};
    let response: Response;
    try {
      response = await fetch(url, { headers: { ...identity, ...rights }, redirect: "manual", signal });
    } catch (error) {
      throw broken(hub, error);
    }
    if ([200, 206, 416].includes(response.status)) {
      onHop(response);
      return response;
    }
    await response.body?.cancel().catch(() => {});
    if (response.status < 300 || response.status >= 400) throw refusal(hub, response, about);
    onHop(response);
    url = nextAddress(hub, url, response.headers.get("location"));
  }
  throw strange(hub, "sends us on more than ten times");
}

/** An address that a server names, as seen from the one it was asked at. */
export function nextAddress(hub: Hub, from: string, named: string | null): string {
  const next = named && URL.canParse(named, from) ? new URL(named, from) : undefined;
  if (next?.protocol !== "https:" && next?.protocol !== "http:") throw strange(hub, "sends us on to nowhere");
  if (new URL(from).protocol === "https:" && next.protocol === "http:") {
    throw strange(hub, `sends us on from https to plain http, at ${next.host}`);
  }
  next.username = next.password = "";
  return next.href;
}
