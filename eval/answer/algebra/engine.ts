/**
 * Values of functions to 170 digits, from `@cortex-js/compute-engine`. The library is loaded at the first pair that
 * needs it, never for plain numbers; it is asked about one function of one number at a time, so its time is bounded.
 */
import { createRequire } from "node:module";
import { UserError } from "../../../gpu/errors.ts";
import { parseDecimal, type Rational } from "../rational.ts";

type Expression = string | number | { num: string } | [string, ...unknown[]];

interface Engine {
  precision: number;
  tolerance: number;
  expr(json: unknown): { N(): { json: unknown } };
}

/** Digits that are computed. */
const DIGITS = 170;

let engine: Engine | null = null;

interface EngineModule {
  ComputeEngine: new () => Engine;
}

function start(module: EngineModule): Engine {
  engine = new module.ComputeEngine();
  engine.precision = DIGITS;
  engine.tolerance = 1e-120;
  return engine;
}

/** Loads the library ahead of time (0.3 s), as the worker pool does; without it the first pair that needs it does so. */
export async function loadEngine(): Promise<void> {
  if (!engine) start(await import("@cortex-js/compute-engine") as unknown as EngineModule);
}

/** Whether the library is loaded. */
export const isEngineLoaded = (): boolean => engine !== null;

/** Thrown where the library is needed and not there: the pair is judged again once it is, so that no clock counts loading. */
export class EngineMissing extends Error {
  override name = "EngineMissing";
}

/** Loads the library at once. Throws UserError where that cannot be done (in a bundle: use {@linkcode loadEngine}). */
export function loadEngineNow(): void {
  if (engine) return;
  try {
    start(createRequire(import.meta.url)("@cortex-js/compute-engine"));
  } catch {
    throw new UserError(
      "Cannot compare expressions: @cortex-js/compute-engine is not loaded, and cannot be loaded at once here",
      "call `await loadEngine()` once before verify()",
    );
  }
}

/** A complex number of exact decimals. */
interface Value {
  re: Rational;
  im: Rational;
}

/** The value of an expression in MathJSON, or null where it is not a number. */
export function engineValue(json: Expression): Value | null {
  if (!engine) throw new EngineMissing();
  const result = engine.expr(json).N().json;
  if (Array.isArray(result) && result[0] === "Complex") {
    const re = decimalOf(result[1]);
    const im = decimalOf(result[2]);
    return re && im && { re, im };
  }
  const re = decimalOf(result);
  return re && { re, im: { num: 0n, den: 1n } };
}

function decimalOf(json: unknown): Rational | null {
  if (typeof json === "number") return Number.isFinite(json) ? parseDecimal(String(json)) : null;
  const text = typeof json === "object" && json !== null && "num" in json ? String(json.num) : null;
  return text === null ? null : parseDecimal(text.replace("+", ""));
}
