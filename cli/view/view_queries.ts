import * as z from "zod";
import { UserError } from "../../gpu/errors.ts";
import { firstIssue } from "../../model/files/first_issue.ts";
import type { MetricsQuery, RolloutQuery } from "../../web/data/view_data.ts";

type Asked = Readonly<Record<string, string>>;

const NUMBER = z.string().regex(/^-?\d+(\.\d+)?(e[+-]?\d+)?$/i).transform(Number).pipe(z.number());
const COUNT = z.string().regex(/^\d{1,16}$/).transform(Number).pipe(z.number().max(Number.MAX_SAFE_INTEGER));
const SWITCH = z.enum(["true", "false"]).transform((word) => word === "true");
const KEYS = z.string().transform((text, context) => {
  try {
    return z.array(z.string()).parse(JSON.parse(text));
  } catch {
    context.addIssue({ code: "custom", message: "must be a list of names in JSON" });
    return z.NEVER;
  }
});

const METRICS = z.object({ keys: KEYS, from: COUNT, to: COUNT, points: COUNT.pipe(z.number().max(200_000)) })
  .partial();
const TEXT = z.string().max(10_000);
const ROLLOUTS = z.object({
  ...{ step: COUNT, nearest: SWITCH, question: z.string(), group: TEXT, sample: COUNT },
  ...{ mode: TEXT, end: TEXT, rule: TEXT, correct: SWITCH, equal: SWITCH, refilled: SWITCH },
  ...{ rewardFrom: NUMBER, rewardTo: NUMBER, text: TEXT, order: z.enum(["first", "last"]) },
  ...{ after: COUNT, skip: COUNT, limit: COUNT },
}).partial();

/** Which metrics are asked for. @throws UserError if that cannot be told */
export const metricsQuery = (asked: Asked): MetricsQuery => checked(METRICS, asked);

/** Which rollouts are asked for. @throws UserError if that cannot be told */
export const rolloutQuery = (asked: Asked): RolloutQuery => checked(ROLLOUTS, asked);

/** The id of a place. @throws UserError if there is none */
export const oneId = (asked: Asked): string => checked(z.object({ id: z.string() }), asked).id;

/** The id of a question. @throws UserError if there is none */
export const oneQuestion = (asked: Asked): string =>
  checked(z.object({ question: z.string() }), asked).question;

/** The number of a rollout. @throws UserError if there is none */
export const placeOfRollout = (asked: Asked): number => checked(z.object({ place: COUNT }), asked).place;

function checked<T>(schema: z.ZodType<T>, asked: Asked): T {
  const { data, success, error } = schema.safeParse(asked);
  if (success) return data;
  throw new UserError(`Cannot answer: ${firstIssue(error)}`);
}
