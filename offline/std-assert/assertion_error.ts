/** Thrown by every assertion that does not hold. */
export class AssertionError extends Error {
  /**
   * @param message what was expected and what was found
   * @param options `cause`, as of any Error
   */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "AssertionError";
  }
}

/** Throws an AssertionError whose text ends in the caller's own words, if there are any. */
export function failWith(text: string, msg?: string, detail = ""): never {
  throw new AssertionError(`${text}${msg ? `: ${msg}` : "."}${detail}`);
}
