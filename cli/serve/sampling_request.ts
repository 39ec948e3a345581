import * as z from "zod";
import { UNTRAINED_WAYS, WAYS } from "../../model/thinking/ways.ts";
import { ApiError } from "./api_error.ts";

/** Most choices of a prompt. */
export const MOST_CHOICES = 128;

const MOST_STOPS = 16;
/** Characters of a message about a field. */
const MOST_SAID = 300;
const MOST_TOKENS = 2 ** 20;

/** Bounds of `softcot generate`'s flags of these names. */
const GAMMA = z.number().min(0).max(1000);
const TAU = z.number().min(1e-6).max(1e6);

/** A list, whose length is looked at first: of a million wrong items a schema tells a million faults. */
export const listOf = <S extends z.ZodType>(item: S, least: number, most: number) =>
  z.custom<unknown[]>(
    (given) => Array.isArray(given) && given.length >= least && given.length <= most,
    `a list of ${least} to ${most} is needed`,
  ).pipe(z.array(item));

/** softcot's own fields. */
const extensions = z.strictObject({
  thinking: z.enum(["none", ...WAYS, ...UNTRAINED_WAYS]).optional(),
  gamma: GAMMA.optional(),
  tau: TAU.optional(),
  max_thinking: z.int().min(0).max(MOST_TOKENS).optional(),
  answer_tokens: z.int().min(1).max(MOST_TOKENS).optional(),
  show_mixtures: z.boolean().optional(),
  instruction: z.boolean().optional(),
});

/** Colder than the device can tell from 0, where it would divide by it, is 0. */
const temperature = (given: number): number => given < 1e-6 ? 0 : given;

/** What both kinds of completion may say about how tokens are drawn. */
export const samplingFields = {
  model: z.string().optional(),
  n: z.int().min(1).max(MOST_CHOICES).default(1),
  max_tokens: z.int().min(0).max(MOST_TOKENS).optional(),
  temperature: z.number().min(0).max(100).transform(temperature).default(1),
  top_p: z.number().gt(0).max(1).optional(),
  top_k: z.int().min(-1).optional(),
  min_p: z.number().min(0).max(1).optional(),
  seed: z.int().min(-Number.MAX_SAFE_INTEGER).max(Number.MAX_SAFE_INTEGER).optional(),
  stop: z.union([z.string().max(1000), listOf(z.string().max(1000), 0, MOST_STOPS)]).optional(),
  stream: z.boolean().default(false),
  stream_options: z.object({ include_usage: z.boolean().optional() }).optional(),
  softcot: extensions.optional(),
};

/** What they make alone. */
export const samplingRequest = z.object(samplingFields);

/** Those fields. */
export type SamplingRequest = z.infer<typeof samplingRequest>;

/** Fields that ask for what is not there; anything but these values is refused by name, lest a client believes it was heeded. */
const REFUSED: Record<string, (value: unknown) => boolean> = {
  response_format: (value) => (value as { type?: unknown }).type === "text",
  tools: isEmpty,
  functions: isEmpty,
  tool_choice: (value) => value === "none" || value === "auto",
  function_call: (value) => value === "none" || value === "auto",
  logit_bias: isEmpty,
  frequency_penalty: (value) => value === 0,
  presence_penalty: (value) => value === 0,
  repetition_penalty: (value) => value === 1,
  audio: () => false,
  prediction: () => false,
  web_search_options: () => false,
  modalities: (value) => Array.isArray(value) && value.every((one) => one === "text"),
  suffix: (value) => value === "",
};

function isEmpty(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

/**
 * A request's body by a schema. Fields that are null are as good as left out, and those that nobody knows are passed over, as OpenAI's
 * server does.
 *
 * @throws ApiError 400 that names the field
 */
export function parseRequest<S extends z.ZodType>(schema: S, body: unknown): z.infer<S> {
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new ApiError(400, "Cannot read the request: its body is no JSON object, one is needed");
  }
  const given = Object.fromEntries(Object.entries(body).filter(([_, value]) => value !== null));
  for (const [name, isHarmless] of Object.entries(REFUSED)) {
    if (!Object.hasOwn(given, name) || isHarmless(given[name])) continue;
    throw new ApiError(
      400,
      `Cannot heed ${name}: this server does not have it, leave it out`,
      name,
      "unsupported_parameter",
    );
  }
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0];
  const param = path.join(".");
  throw new ApiError(
    400,
    `Cannot read ${param || "the request"}: ${message.slice(0, MOST_SAID)}`,
    param || null,
  );
}

/** The texts to stop at. */
export const stopsOf = ({ stop }: SamplingRequest): string[] =>
  (stop === undefined ? [] : [stop].flat()).filter((text) => text !== "");
