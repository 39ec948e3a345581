/** A small fault, and the tests that are to notice it. */
export interface Mutant {
  /** What is wrong then. */
  fault: string;
  file: string;
  /** Stands in the file once; `to` takes its place. */
  from: string;
  to: string;
  /** Files or folders under `tests/`. */
  tests: string[];
}

/** One of them. */
export const mutant = (file: string, fault: string, from: string, to: string, tests: string[]): Mutant => ({
  ...{ fault, file, from, to, tests },
});
