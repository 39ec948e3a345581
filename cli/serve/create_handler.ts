import { chatCompletions } from "./chat_completions.ts";
import { ApiError, asApiError, errorResponse } from "./api_error.ts";
import { completions } from "./completions.ts";
import type { Exchange } from "./exchange.ts";
import { createLife, type Life } from "./create_life.ts";
import { createMetrics } from "./metrics.ts";
import { readJson } from "./read_json.ts";
import { type Acquaintances, OPEN, refuseStrangers } from "./refuse_strangers.ts";
import type { Usage } from "./run_choices.ts";
import type { ServedModel } from "./served_model.ts";
import { tryPage } from "./try_page.ts";

/** What a handler goes by. */
export interface HandlerOptions extends Acquaintances {
  /** Bytes of a body, at most. */
  mostBytes: number;
  /** Seconds of a request, at most. */
  mostSeconds: number;
  /** Aborted where the server gives up what is left. */
  signal: AbortSignal;
  /** Told a line of each request. */
  log(line: string): void;
  /** Told of faults of the program's. */
  fault(error: unknown): void;
}

/** Answers requests, as soon as there is a model. */
export interface Handler {
  handle(request: Request, remote: string): Promise<Response>;
  /** From now on they are answered. */
  serve(served: ServedModel): void;
  /** From now on nothing new is begun. */
  drain(): void;
  /** From now on nothing is answered any more: the device failed. */
  fail(): void;
}

/** Seconds in which a body has to come. */
const BODY_SECONDS = 30;

const GENERATING = { "/v1/chat/completions": chatCompletions, "/v1/completions": completions } as const;

/** The handler of a server's requests. */
export function createHandler(options: HandlerOptions): Handler {
  const metrics = createMetrics();
  const lives = new Set<Life>();
  options.signal.addEventListener("abort", () => lives.forEach((life) => life.giveUp("server ends")));
  let served: ServedModel | undefined;
  let state: "loading" | "ready" | "draining" | "failed" = "loading";

  const refuseUnready = () => {
    if (state === "ready") return;
    const [code, message] = {
      loading: ["loading", "The model is being loaded: try again"],
      draining: ["shutting_down", "The server ends"],
      failed: ["device_failed", "The device failed, and the server ends. Its log says why."],
    }[state];
    throw new ApiError(503, message, null, code, { "retry-after": "5" });
  };
  const answer = async (request: Request, path: string, exchange: Exchange): Promise<Response> => {
    refuseStrangers(options, request, path);
    const method = path in GENERATING ? "POST" : "GET";
    const isKnown = path in GENERATING || [...OPEN, "/metrics", "/v1/models"].includes(path) ||
      path.startsWith("/v1/models/");
    if (!isKnown) throw new ApiError(404, `There is no ${path} here`, null, "unknown_url");
    // Of a HEAD the server sends what a GET has, without its body.
    const asked = request.method === "HEAD" ? "GET" : request.method;
    if (asked !== method) {
      throw new ApiError(405, `Cannot ${request.method} ${path}: ${method} is needed`, null, null, {
        allow: method,
      });
    }
    if (path === "/") return tryPage();
    if (path === "/health") {
      return Response.json({ status: state }, { status: state === "ready" ? 200 : 503 });
    }
    if (path === "/metrics") {
      return new Response(metrics.text(served?.engine.figures() ?? null), {
        headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" },
      });
    }
    refuseUnready();
    if (path.startsWith("/v1/models")) return models(served!, path);
    const body = await readJson(request, options.mostBytes, BODY_SECONDS, exchange.signal);
    refuseUnready();
    refuseOther(served!, body);
    return await GENERATING[path as keyof typeof GENERATING](served!, body, exchange);
  };

  return {
    async handle(request, remote) {
      const began = performance.now();
      // Of a host that is no name there is no URL.
      const path = URL.parse(request.url)?.pathname ?? "";
      const route = path in GENERATING || [...OPEN, "/metrics"].includes(path)
        ? path
        : path.startsWith("/v1/models")
        ? "/v1/models"
        : "other";
      let noted: { usage: Usage; firstToken: number | null } | undefined;
      const life = createLife(request.signal, options.mostSeconds);
      lives.add(life);
      const over = (status: number) => {
        life.end();
        lives.delete(life);
        const seconds = (performance.now() - began) / 1000;
        metrics.request(route, status, seconds);
        const first = noted?.firstToken == null ? undefined : (noted.firstToken - began) / 1000;
        if (first !== undefined) metrics.firstToken(first);
        options.log(
          requestLine({ remote, method: request.method, route, status, seconds, first, usage: noted?.usage }),
        );
      };
      const exchange: Exchange = {
        signal: life.signal,
        ended: life.ended,
        note: (usage, firstToken) => void (noted = { usage, firstToken }),
        over: (error) => over(error instanceof ApiError ? error.status : 200),
        fault: options.fault,
      };
      try {
        const response = await answer(request, path, exchange);
        if (!response.headers.get("content-type")?.startsWith("text/event-stream")) over(response.status);
        return response;
      } catch (error) {
        const known = asApiError(error);
        if (known !== error && known.status === 500) options.fault(error);
        over(known.status);
        return errorResponse(known);
      }
    },
    serve(model) {
      served = model;
      if (state === "loading") state = "ready";
    },
    drain() {
      if (state !== "failed") state = "draining";
    },
    fail: () => void (state = "failed"),
  };
}

function models({ name, created, context }: ServedModel, path: string): Response {
  const model = { id: name, object: "model", created, owned_by: "softcot", max_model_len: context };
  if (path === "/v1/models") return Response.json({ object: "list", data: [model] });
  const asked = path.slice("/v1/models/".length);
  if (decoded(asked) === name) return Response.json(model);
  throw noModel(asked, name);
}

/** What a part of a path stands for; the part itself where its escapes are none. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** @throws ApiError 404 if a request is for another model */
function refuseOther({ name }: ServedModel, body: unknown): void {
  const { model } = (body ?? {}) as { model?: unknown };
  if (typeof model === "string" && model !== name) throw noModel(model, name);
}

const noModel = (asked: string, name: string): ApiError =>
  new ApiError(
    404,
    `There is no model ${JSON.stringify(asked.slice(0, 200))} here: ${JSON.stringify(name)} is served`,
    "model",
    "model_not_found",
  );

interface Line {
  remote: string;
  method: string;
  route: string;
  status: number;
  seconds: number;
  first?: number;
  usage?: Usage;
}

/** A request without its text. */
function requestLine({ remote, method, route, status, seconds, first, usage }: Line): string {
  const told = [new Date().toISOString(), remote, method, route, `${status}`, `${seconds.toFixed(3)} s`];
  if (usage) told.push(`${usage.promptTokens} + ${usage.completionTokens} tokens`);
  if (first !== undefined) told.push(`first after ${first.toFixed(3)} s`);
  return told.join("  ");
}
