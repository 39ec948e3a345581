/**
 * Stand-in for the JSR package `@std/assert`, over `node:assert` and `node:util`, for machines that cannot
 * reach JSR. Same names and signatures; only what this project's tests use.
 *
 * @module
 */
export { AssertionError } from "./assertion_error.ts";
export {
  assertArrayIncludes,
  assertEquals,
  assertNotEquals,
  assertNotStrictEquals,
  assertStrictEquals,
  equal,
} from "./equality.ts";
export { assertIsError, assertRejects, assertThrows } from "./throwing.ts";
export {
  assert,
  assertAlmostEquals,
  assertExists,
  assertFalse,
  assertGreater,
  assertGreaterOrEqual,
  assertInstanceOf,
  assertLess,
  assertLessOrEqual,
  assertMatch,
  assertNotMatch,
  assertStringIncludes,
  fail,
} from "./values.ts";
