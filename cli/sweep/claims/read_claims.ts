import * as z from "zod";
import { parseJson } from "../../../model/files/parse_json.ts";
import type { Verdicts } from "./claims.ts";

const VERDICT = z.enum(["holds", "does not hold", "cannot be told"]);
const NUMBER = z.number().nullable();
const PART = z.looseObject({
  what: z.string(),
  ...{ value: NUMBER, standardError: NUMBER, bound: z.number(), errors: NUMBER },
  verdict: VERDICT,
});
const PARTS = z.array(PART);
const VERDICTS = z.looseObject({
  claims: z.array(z.looseObject({
    letter: z.enum(["a", "b", "c", "d", "e"]),
    claim: z.string(),
    verdict: VERDICT,
    atEqual: VERDICT.optional(),
  })),
  best: PARTS,
  hardFalls: PART,
  lines: z.array(z.looseObject({
    line: z.string(),
    claims: z.object({ a: PARTS, c: PARTS, d: PARTS, e: PARTS }),
    atEqual: z.object({ a: PART, c: PART, d: PART }),
    gap: z.looseObject({ value: z.number(), standardError: NUMBER }).nullable(),
    stoppedAfter: z.array(z.number()).default([]),
  })),
  thinkingTerm: PART.nullable(),
});

/**
 * The verdicts that a sweep keeps in claims.json.
 *
 * @param text of the file
 * @throws Error if it holds something else
 */
export function readClaims(text: string): Verdicts {
  const { data, success } = VERDICTS.safeParse(parseJson(text));
  if (!success) throw new Error("it holds no verdicts of softcot sweep claims");
  return data as Verdicts;
}
