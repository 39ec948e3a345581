import * as z from "zod";
import { WEIGHTINGS } from "../../gpu/ops/few/few_tokens.ts";
import { NOISE_PLACES } from "../../model/thinking/noise_on.ts";
import { UNTRAINED_WAYS, WAYS } from "../../model/thinking/ways.ts";
import { WEIGHT_FORMS } from "../../model/weights/weight_types.ts";

/** What a file may be called that is served. */
export const SERVED_NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,120}$/;

/** What sessions, jobs and results are called, as words of a NATS subject. */
export const TOKEN = /^\w{1,64}$/;

/** A file that is served under the SHA-256 of its bytes. */
const servedFile = z.strictObject({
  /** Its name in a folder. */
  name: z.string().regex(SERVED_NAME),
  bytes: z.int().min(0),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

/** See {@link servedFile}. */
export type ServedFile = z.infer<typeof servedFile>;

/** What a worker needs of a model, but for weights that change: a file of JSON that is served. */
export const parcelSchema = z.strictObject({
  /** The embedded model, which every softcot has; a folder of these files; or the one of them that is the model. */
  model: z.union([
    z.literal("builtin"),
    z.strictObject({ files: z.array(servedFile).min(1).max(1000), open: z.string().optional() }),
  ]),
  /** Files of an adapter that is put on it. */
  adapter: z.array(servedFile).max(100).optional(),
  weights: z.enum(WEIGHT_FORMS),
  /** Rollouts are made by a copy in f16. */
  half: z.boolean(),
  /** What of it changes, in words: a model that one training has changed is none for another kind of training. */
  trains: z.string().max(10_000),
});

/** See {@link parcelSchema}. */
export type Parcel = z.infer<typeof parcelSchema>;

const count = z.int().min(0).max(2 ** 32 - 1);
const ids = z.array(count).max(2 ** 21);
const optional = <T extends z.ZodType>(type: T) => type.optional();

const wayOptions = z.strictObject({
  greedy: z.boolean(),
  gamma: z.number(),
  embeddingRms: z.number(),
  antithetic: optional(z.boolean()),
  tau: optional(z.number()),
  filters: optional(z.strictObject({
    ...{ topK: optional(count), topP: optional(z.number()), minP: optional(z.number()) },
  })),
  noiseOn: optional(z.enum(NOISE_PLACES)),
  width: optional(count),
  weighting: optional(z.enum(WEIGHTINGS)),
  rho: optional(z.number()),
  gumbelTau: optional(z.number()),
  asPublished: optional(z.boolean()),
  alpha: optional(z.number()),
  eta: optional(z.number()),
  wholeScore: optional(z.boolean()),
  beta: optional(z.number()),
});

/** Rollouts that one worker is to make. */
export const jobSchema = z.strictObject({
  /** Of softcot: another may make other rollouts. */
  version: z.string(),
  session: z.string().regex(TOKEN),
  /** Its name, as long as it is not refused and given again. */
  id: z.string().regex(TOKEN),
  /** Where files are served. */
  url: z.url({ protocol: /^https?$/ }),
  parcel: servedFile,
  /** What has been trained: of a model all weights, of an adapter its own with their configuration; nothing where nothing changes. */
  trained: optional(z.array(servedFile).min(1).max(10)),
  /** After which update it is what the weights are; 0 where nothing changes. */
  update: count,
  thinking: z.strictObject({ way: z.enum([...WAYS, ...UNTRAINED_WAYS]), options: wayOptions }),
  rules: z.strictObject({
    maxThinking: count,
    maxAnswer: count,
    endTokenIds: ids,
    forcedIds: z.strictObject({ box: ids, boxAfterSpace: ids, triggerAndBox: ids }),
  }),
  answerTau: z.number(),
  seed: z.number(),
  step: count,
  atOnce: optional(count),
  prompts: z.array(z.strictObject({ prompt: ids, rolloutIds: ids })).min(1).max(2 ** 16),
  /** Of so many of the rollouts, the first ones, the rows that continuous thinking fed are wanted. */
  rows: count,
});

/** See {@link jobSchema}. */
export type Job = z.infer<typeof jobSchema>;

/** SHA-256 that a job's rollouts are stamped with: of what has been trained, else of the list of the model's files. */
export const weightsOf = ({ trained, parcel }: Pick<Job, "trained" | "parcel">): string =>
  (trained ?? [parcel])[0].sha256;
