// Stand-in for @std/assert over node:assert: only what this project's tests use.
import assertModule from "node:assert/strict";
export function assert(value: unknown, message?: string): asserts value {
  assertModule.ok(value, message);
}
export function assertEquals<T>(actual: T, expected: T, message?: string): void {
  assertModule.deepEqual(actual, expected, message);
}
