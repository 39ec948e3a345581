import strict from "node:assert/strict";
import { inspect, isDeepStrictEqual } from "node:util";
import { failWith } from "./assertion_error.ts";

type Numbers = ArrayLike<number | bigint>;

/** True where both are deeply equal; as in @std/assert, -0 equals 0, NaN equals NaN, and an error only itself. */
export function equal(a: unknown, b: unknown): boolean {
  if (isTypedArray(a) && isTypedArray(b)) {
    return Object.getPrototypeOf(a) === Object.getPrototypeOf(b) && countDifferences(a, b).count === 0;
  }
  return a === b || isDeepStrictEqual(comparable(a), comparable(b));
}

/** Throws unless `actual` deeply equals `expected`. */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  if (!equal(actual, expected)) failWith("Values are not equal", msg, `\n${difference(actual, expected)}`);
}

/** Throws if `actual` deeply equals `expected`. */
export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void {
  if (equal(actual, expected)) failWith(`Expected actual: ${show(actual)} not to be: ${show(expected)}`, msg);
}

/** Throws unless `Object.is(actual, expected)`. */
export function assertStrictEquals<T>(actual: unknown, expected: T, msg?: string): asserts actual is T {
  if (!Object.is(actual, expected)) {
    failWith("Values are not strictly equal", msg, `\n${difference(actual, expected)}`);
  }
}

/** Throws if `Object.is(actual, expected)`. */
export function assertNotStrictEquals<T>(actual: T, expected: T, msg?: string): void {
  if (Object.is(actual, expected)) {
    failWith(`Expected "actual" to not be strictly equal to: ${show(actual)}`, msg);
  }
}

/** Throws unless `actual` has every item of `expected`, in any order. */
export function assertArrayIncludes<T>(
  actual: ArrayLike<T> & object,
  expected: ArrayLike<T> & object,
  msg?: string,
): void {
  const missing = Array.from(expected).filter((item) => !Array.from(actual).some((one) => equal(one, item)));
  if (missing.length === 0) return;
  failWith(
    `Expected actual: "${show(actual)}" to include: "${show(expected)}"`,
    msg,
    `\nmissing: ${show(missing)}`,
  );
}

/** How a value is written in the messages of this package. */
export function show(value: unknown): string {
  return inspect(value, { depth: 8, maxArrayLength: 24, breakLength: 100, sorted: true });
}

function isTypedArray(value: unknown): value is Numbers {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}

function countDifferences(a: Numbers, b: Numbers): { count: number; first: number } {
  const shared = Math.min(a.length, b.length);
  let count = Math.abs(a.length - b.length), first = shared;
  for (let i = shared - 1; i >= 0; i--) {
    if (a[i] === b[i] || Object.is(a[i], b[i])) continue;
    count++;
    first = i;
  }
  return { count, first };
}

/** What differs. A diff of long arrays would take minutes and tell less than the first place where they part. */
function difference(actual: unknown, expected: unknown): string {
  if (isTypedArray(actual) && isTypedArray(expected)) {
    const { count, first } = countDifferences(actual, expected);
    return `    ${count} of ${
      Math.max(actual.length, expected.length)
    } elements differ, the first at [${first}]: ` +
      `actual ${actual[first]}, expected ${expected[first]}\n` +
      `    actual   ${show(actual)}\n    expected ${show(expected)}`;
  }
  try {
    strict.deepEqual(actual, expected);
  } catch (error) {
    const text = (error as Error).message;
    if (text.length < 20_000) return text;
  }
  return `    actual   ${show(actual)}\n    expected ${show(expected)}`;
}

/** node:assert tells -0 from 0 and `Object.create(null)` from `{}`, and takes two errors of one message for equal; @std/assert does none of it. */
function comparable(value: unknown, seen = new Map<object, unknown>()): unknown {
  if (value === 0) return 0;
  if (typeof value !== "object" || value === null) return value;
  const known = seen.get(value);
  if (known !== undefined) return known;
  const visit = (inner: unknown) => comparable(inner, seen);
  if (isTypedArray(value)) {
    return value instanceof BigInt64Array || value instanceof BigUint64Array
      ? value
      : (value as Float64Array).map((x) => x === 0 ? 0 : x);
  }
  if (value instanceof Error) return [value.constructor, value.message, value.stack];
  if (value instanceof Map) return new Map([...value].map(([key, inner]) => [visit(key), visit(inner)]));
  if (value instanceof Set) return new Set([...value].map(visit));
  const prototype = Object.getPrototypeOf(value);
  const isArray = prototype === Array.prototype;
  if (!isArray && prototype !== Object.prototype && prototype !== null) return value;
  const copy = isArray ? new Array((value as unknown[]).length) : {};
  seen.set(value, copy);
  for (const key of Reflect.ownKeys(value)) {
    if (isArray && key === "length") continue;
    Reflect.set(copy, key, visit((value as Record<PropertyKey, unknown>)[key]));
  }
  return copy;
}
