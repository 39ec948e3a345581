/** Numbers and names as the page writes them. */

/** A number of so many significant digits, without an exponent between 0.001 and 1e6; a dash of none. */
export function number(value: number | null | undefined, digits = 3): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-3) return value.toExponential(Math.max(0, digits - 1)).replace("e+", "e");
  if (Number.isInteger(value) || size >= 10 ** digits) return grouped(Math.round(value));
  return value.toPrecision(digits);
}

/** A number of so many decimals, so that a column of them is aligned; a dash of none. */
export function fixed(value: number | null | undefined, decimals: number): string {
  return value === null || value === undefined || !Number.isFinite(value) ? "–" : value.toFixed(decimals);
}

/** A whole number with thin gaps between thousands. */
export function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+(?!\d))/g, "\u202f");
}

/** `0.844 ± 0.023` */
export function withError({ value, standardError }: { value: number; standardError: number }): string {
  return `${fixed(value, 3)} ± ${fixed(standardError, 3)}`;
}

/** How long ago, in the largest unit that fits. */
export function ago(then: number, now: number): string {
  return then > 0 ? `${duration((now - then) / 1000)} ago` : "–";
}

/** Seconds in at most two units. */
export function duration(seconds: number): string {
  const s = Math.max(0, seconds);
  if (s < 1) return `${Math.round(s * 1000)} ms`;
  if (s < 60) return `${s < 10 ? s.toFixed(1) : Math.round(s)} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor(s % 3600 / 60)} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor(s % 86400 / 3600)} h`;
}

/** A size in bytes. */
export function bytes(size: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const unit = size < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(size) / 3));
  return `${unit === 0 ? size : (size / 1000 ** unit).toPrecision(3)} ${units[unit]}`;
}

/** A setting's value in one line. */
export function settingText(value: unknown): string {
  if (value === undefined) return "";
  if (typeof value === "string") return value;
  if (typeof value === "number") return String(value);
  if (Array.isArray(value)) return value.map(settingText).join(", ");
  return JSON.stringify(value);
}
