import { ValidationError } from "@cliffy/command";
import { say } from "../terminal/print.ts";
import { flag } from "../settings/setting.ts";
import type { Comparison } from "./comparison.ts";
import { comparisonCsv, comparisonMarkdown, describeComparison } from "./comparison_table.ts";

/** How a table is written, for every command that writes one. */
export const tableForms = {
  csv: flag("Write all numbers as CSV"),
  markdown: flag("Write the table in Markdown"),
};

/** @throws ValidationError (wrong usage) where a table is asked for in two forms */
export function refuseTwoForms(forms: { csv: boolean; markdown: boolean; json: boolean }): void {
  const asked = Object.entries(forms).filter(([, is]) => is).map(([name]) => `--${name}`);
  if (asked.length > 1) throw new ValidationError(`${asked.join(" and ")} do not go together.`);
}

/** A table of numbers alone has no place for what is left out: it is said on stderr. */
export function sayNotes({ notes }: Comparison, { csv }: { csv: boolean }): void {
  if (csv) notes.forEach(say);
}

/** A table in the form that is asked for. */
export function inForm(
  comparison: Comparison,
  { csv, markdown }: { csv: boolean; markdown: boolean },
): string {
  if (csv) return comparisonCsv(comparison);
  return markdown ? comparisonMarkdown(comparison) : describeComparison(comparison);
}
