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

/** What a request brings where something is to be changed. */
export interface Sent {
  method: "POST";
  body: string;
  /** Of the body, as Content-Type names it. */
  type: string;
  /** Statuses beside 200 that are no refusal. */
  also?: readonly number[];
}

/**
 * Sends a request and follows where it is sent on; the token goes to the endpoint's origin alone, for a link to a
 * content network carries its own rights, and the token is nobody else's business. From https nothing leads to http.
 * What is sent stays where it was addressed to: only to another address of the same origin it is sent on.
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
  sent?: Sent,
): Promise<Response> {
  for (let hops = 0; hops < 10; hops++) {
    const own = new URL(url).origin === new URL(hub.endpoint).origin;
    const identity = { "user-agent": "softcot", "accept-encoding": "identity", ...headers };
    const rights: Record<string, string> = own && hub.token ? { authorization: `Bearer ${hub.token}` } : {};
    const body = sent && { method: sent.method, body: sent.body };
    const type: Record<string, string> = sent ? { "content-type": sent.type } : {};
    let response: Response;
    try {
      response = await fetch(url, {
        ...{ ...body, headers: { ...identity, ...type, ...rights } },
        ...{ redirect: "manual", signal },
      });
    } catch (error) {
      throw broken(hub, error);
    }
    if ([200, ...(sent ? sent.also ?? [] : [206, 416])].includes(response.status)) {
      onHop(response);
      return response;
    }
    await response.body?.cancel().catch(() => {});
    if (response.status < 300 || response.status >= 400) throw refusal(hub, response, about);
    onHop(response);
    const next = nextAddress(hub, url, response.headers.get("location"));
    const mayResend = [307, 308].includes(response.status) && new URL(next).origin === new URL(url).origin;
    if (sent && !mayResend) throw strange(hub, "sends what is pushed on to another place");
    url = next;
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
