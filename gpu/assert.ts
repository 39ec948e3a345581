/**
 * Holds what is true of a small record where it is made, so that a fault of the program is told there and not by wrong numbers.
 *
 * @param message `Cannot <do what>: <what was found>, <what is needed>`; written only where it is thrown: asking costs little
 * @throws Error if the condition does not hold
 */
export function assert(condition: boolean, message: () => string): asserts condition {
  if (!condition) throw new Error(message());
}
