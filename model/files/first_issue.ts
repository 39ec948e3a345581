import type * as z from "zod";

/** What is wrong first in what a schema does not take, with its place where it has one. */
export function firstIssue({ issues: [{ path, message }] }: z.ZodError): string {
  return path.length === 0 ? message : `${path.join(".")}: ${message}`;
}
