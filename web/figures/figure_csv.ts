import type { Figure } from "./figure.ts";

/** A figure's values: a line for each point of each curve. */
export function figureCsv({ x, y, title, curves }: Figure): string {
  const hasBand = curves.some(({ low }) => low);
  const hasRaw = curves.some(({ raw }) => raw);
  const head = ["curve", x.label, y.label ? `${title} (${y.label})` : title];
  const rows = curves.flatMap(({ name, x, y, low, high, raw }) =>
    x.map((
      at,
      i,
    ) => [name, at, y[i], ...(hasBand ? [low?.[i], high?.[i]] : []), ...(hasRaw ? [raw?.[i]] : [])])
  );
  const all = [[...head, ...(hasBand ? ["low", "high"] : []), ...(hasRaw ? ["not smoothed"] : [])], ...rows];
  return all.map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
}

/** Quoted where need be. What a spreadsheet would run as a formula is text. */
function cell(value: string | number | null | undefined): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  const safe = /^[=+\-@\t]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
