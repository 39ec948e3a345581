import { Ajv2020 } from "ajv/dist/2020.js";
import { assert } from "@std/assert";
import { jsonLines } from "./json_lines.ts";
import { root } from "./places.ts";

const ajv = new Ajv2020({
  allErrors: true,
  allowUnionTypes: true,
  strictRequired: false,
  strictTypes: false,
  strictTuples: false,
});

/** The schemas of docs/schemas/, by the beginnings of their names. */
export type SchemaName = "metrics" | "sample" | "rollout" | "choice" | "profile";

/** What of data does not fit a schema; empty where it does. */
export function misfitsOf(name: SchemaName, data: unknown): string {
  const id = `${name}.schema.json`;
  if (!ajv.getSchema(id)) {
    ajv.addSchema(JSON.parse(Deno.readTextFileSync(`${root}docs/schemas/${id}`)), id);
  }
  const check = ajv.getSchema(id)!;
  return check(data) ? "" : ajv.errorsText(check.errors, { dataVar: name });
}

/** Fails unless there are lines in a file of JSON lines, and each fits the schema. */
export function assertLinesFit(name: SchemaName, path: string): void {
  const lines = jsonLines(path);
  assert(lines.length > 0, `${path} is empty`);
  lines.forEach((line, i) => {
    const misfits = misfitsOf(name, line);
    assert(misfits === "", `${path}, line ${i + 1}: ${misfits}`);
  });
}
