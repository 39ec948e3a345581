import { UserError } from "../../gpu/errors.ts";
import type { Source } from "../../web/data/view_data.ts";
import { eventStream } from "./event_stream.ts";
import { refusalOf } from "./refusal_of.ts";
import { metricsQuery, oneId, oneQuestion, placeOfRollout, rolloutQuery } from "./view_queries.ts";

/** A page that is served. */
export interface Served {
  port: number;
  /** Where it is. */
  url: string;
  finished: Promise<void>;
}

/**
 * Serves a source, and the page that shows it, to this machine alone.
 *
 * @param page its HTML
 * @param port that is asked for; 0 takes a free one
 * @param signal ends it when it is aborted
 * @throws UserError if the port is taken
 */
export function serveView(source: Source, page: Page, port: number, signal: AbortSignal): Served {
  const hostname = "127.0.0.1";
  let own = 0;
  try {
    const server = Deno.serve({
      ...{ hostname, port, signal },
      onListen: (address) => own = address.port,
      onError: () => plain(500, "Something went wrong within."),
    }, (request) => answer(request, own, source, page));
    own = server.addr.port;
    return { port: own, url: `http://${hostname}:${own}/`, finished: server.finished };
  } catch (error) {
    const found = error instanceof Deno.errors.AddrInUse
      ? "another program has it"
      : (error as Error).message;
    throw new UserError(
      `Cannot listen on port ${port}: ${found}, a free one is needed`,
      "leave --port out to get one that is free",
    );
  }
}

/** The page, with what browsers are told about it. */
export interface Page {
  html: string;
  /** Its Content-Security-Policy. */
  policy: string;
}

async function answer(request: Request, port: number, source: Source, page: Page): Promise<Response> {
  const refusal = refusalOf(request, port);
  if (refusal) return plain(refusal.status, refusal.why);
  const { pathname, searchParams } = new URL(request.url);
  if (pathname === "/") {
    const type = { "content-type": "text/html; charset=utf-8", "content-security-policy": page.policy };
    return new Response(page.html, { headers: { ...COMMON, ...type } });
  }
  if (pathname === "/api/events") {
    const type = { "content-type": "text/event-stream; charset=utf-8" };
    return new Response(eventStream(source), { headers: { ...COMMON, ...type } });
  }
  const known = pathname.startsWith("/api/") ? pathname.slice("/api/".length) : "";
  if (!Object.hasOwn(ANSWERS, known)) return plain(404, "There is no such page.");
  try {
    const data = await ANSWERS[known](source, Object.fromEntries(searchParams));
    const type = { "content-type": "application/json; charset=utf-8" };
    return new Response(JSON.stringify(data), { headers: { ...COMMON, ...type } });
  } catch (error) {
    return plain(error instanceof UserError ? 404 : 400, (error as Error).message);
  }
}

type Asked = Readonly<Record<string, string>>;

const ANSWERS: Readonly<Record<string, (source: Source, asked: Asked) => Promise<unknown>>> = {
  overview: (source) => source.overview(),
  metrics: (source, asked) => source.metrics(oneId(asked), metricsQuery(asked)),
  rollouts: (source, asked) => source.rollouts(oneId(asked), rolloutQuery(asked)),
  rollout: (source, asked) => source.rollout(oneId(asked), placeOfRollout(asked)),
  facets: (source, asked) => source.facets(oneId(asked)),
  sightings: (source, asked) => source.sightings(oneQuestion(asked)),
  tables: (source, asked) => source.tables(oneId(asked)),
  profile: (source, asked) => source.profile(oneId(asked)),
};

/** What is private stays with the page that asked: not in caches, frames or other origins' reach. */
const COMMON = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
} as const;

const plain = (status: number, text: string): Response =>
  new Response(text, { status, headers: { ...COMMON, "content-type": "text/plain; charset=utf-8" } });
