import { EngineFailedError, QueueFullError } from "../../model/serving/admission.ts";
import { ApiError, asApiError, errorBody } from "./api_error.ts";
import type { ChoiceEnd, ChoiceListener, ChoicePiece, Usage } from "./run_choices.ts";

/** A request on its way, for those who answer it. */
export interface Exchange {
  /** Aborted where the client hangs up, its time is over, or the server ends. */
  signal: AbortSignal;
  /** Why. */
  ended(): "hung up" | "timed out" | "server ends";
  /** What the log and the figures say of it. */
  note(usage: Usage, firstToken: number | null): void;
  /** Called when the answer is over, however it ends; of a stream that is after its headers. */
  over(error: unknown | null): void;
  /** Told of faults that are no mistake of the client's. */
  fault(error: unknown): void;
}

/** An answer as it is made. */
export interface Answer {
  /** Generates, and tells it. */
  run(tell: ChoiceListener, signal: AbortSignal): Promise<Usage>;
  /** How its parts are told as events; null: it is told as a whole. */
  stream: {
    head: Record<string, unknown>;
    includeUsage: boolean;
    opening: unknown[];
    piece(piece: ChoicePiece): unknown;
    end(end: ChoiceEnd): unknown;
    usage(usage: Usage): unknown;
  } | null;
  /** The whole, by choice. */
  whole(pieces: ChoicePiece[], ends: ChoiceEnd[], usage: Usage): unknown;
}

/** Bytes of a stream that may wait for a client to read them: of who has more, it is as if it had hung up. */
const MOST_UNREAD = 64 * 2 ** 20;

/** Seconds that a client is to wait before it asks again where the queue is full. */
const RETRY_AFTER = "5";

/** An error of generation as clients read it. */
export function generationError(error: unknown, exchange: Exchange): ApiError {
  if (error instanceof QueueFullError) {
    return new ApiError(
      429,
      `Cannot take more requests now: ${error.message}. Try again.`,
      null,
      "queue_full",
      {
        "retry-after": RETRY_AFTER,
      },
    );
  }
  if (error instanceof EngineFailedError) {
    exchange.fault(error.cause);
    return new ApiError(
      503,
      "The device failed, and the server ends. Its log says why.",
      null,
      "device_failed",
    );
  }
  const known = asApiError(error);
  if (known.status === 500) exchange.fault(error);
  return known;
}

/** Answers with a whole, or a stream of events. */
export function answerWith(exchange: Exchange, answer: Answer): Promise<Response> {
  return answer.stream ? streamed(exchange, answer, answer.stream) : whole(exchange, answer);
}

async function whole(exchange: Exchange, answer: Answer): Promise<Response> {
  const pieces: ChoicePiece[] = [];
  const ends: ChoiceEnd[] = [];
  let first: number | null = null;
  const usage = await answer.run({
    piece({ choice, reasoning, content, logprobs, steps }) {
      first ??= performance.now();
      const all = pieces[choice] ??= { choice, reasoning: "", content: "", logprobs: [], steps: [] };
      all.reasoning += reasoning;
      all.content += content;
      all.logprobs.push(...logprobs);
      all.steps.push(...steps);
    },
    end(end) {
      ends[end.choice] = end;
      pieces[end.choice] ??= { choice: end.choice, reasoning: "", content: "", logprobs: [], steps: [] };
    },
  }, exchange.signal).catch((error) => {
    throw exchange.signal.aborted ? timeOver(exchange) : generationError(error, exchange);
  });
  exchange.note(usage, first);
  if (exchange.signal.aborted) throw timeOver(exchange);
  return Response.json(answer.whole(pieces, ends, usage));
}

/** Why an answer is not what was asked for. Of a client that hung up nobody but the log reads it, by the status that other servers log. */
const timeOver = (exchange: Exchange): ApiError =>
  ({
    "hung up": new ApiError(499, "The client hung up"),
    "timed out": new ApiError(
      504,
      "Cannot finish in the time that a request may take: ask for fewer tokens",
      null,
      "timeout",
    ),
    "server ends": new ApiError(503, "The server ends", null, "shutting_down"),
  })[exchange.ended()];

/** The headers go out with the first event, so that what fails before it is an error with a status of its own. */
async function streamed(
  exchange: Exchange,
  answer: Answer,
  { head, includeUsage, opening, piece, end, usage }: NonNullable<Answer["stream"]>,
): Promise<Response> {
  const encoder = new TextEncoder();
  const hungUp = new AbortController();
  const signal = AbortSignal.any([exchange.signal, hungUp.signal]);
  const begun = Promise.withResolvers<void>();
  let first: number | null = null;
  let controller: ReadableStreamDefaultController<Uint8Array>;
  const stream = new ReadableStream<Uint8Array>({
    start: (given) => void (controller = given),
    cancel: () => hungUp.abort(),
  }, new ByteLengthQueuingStrategy({ highWaterMark: MOST_UNREAD }));
  const write = (data: string) => {
    if (controller.desiredSize! >= 0) return controller.enqueue(encoder.encode(`data: ${data}\n\n`));
    controller.error(new Error("The client does not read what it asked for"));
    hungUp.abort();
  };
  const send = (data: unknown) => {
    if (!signal.aborted) write(JSON.stringify(data));
  };
  const chunk = (choices: unknown[], more: object = {}) =>
    send({ ...head, choices, ...(includeUsage ? { usage: null } : {}), ...more });
  const begin = () => {
    if (first !== null) return;
    first = performance.now();
    for (const one of opening) chunk([one]);
    begun.resolve();
  };
  const close = () => {
    try {
      controller.close();
    } catch {
      // The client closed it.
    }
  };
  answer.run({
    piece(one) {
      begin();
      chunk([piece(one)]);
    },
    end(one) {
      begin();
      chunk([end(one)]);
    },
  }, signal).then((all) => {
    exchange.note(all, first);
    begin();
    if (signal.aborted) throw timeOver(exchange);
    if (includeUsage) chunk([], { usage: usage(all) });
    if (!signal.aborted) write("[DONE]");
    close();
    exchange.over(null);
  }).catch((error) => {
    const known = signal.aborted ? timeOver(exchange) : generationError(error, exchange);
    if (first === null) return begun.reject(known);
    if (!hungUp.signal.aborted) write(JSON.stringify(errorBody(known)));
    close();
    exchange.over(known);
  });
  await begun.promise;
  return new Response(stream, {
    headers: { "content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no" },
  });
}
