/** A mistake of the user's, or of their files or device: printed as two lines, never with a stack trace. */
export class UserError extends Error {
  /**
   * The error and its hint.
   *
   * @param message `Cannot <do what>: <what was found>, <what is needed>`
   * @param hint what to do about it, printed after `hint:`
   */
  constructor(message: string, readonly hint?: string) {
    super(message);
    this.name = "UserError";
  }
}

/** An error that WebGPU reported: a fault of ours or of the device, with the kernel and shapes where known. */
export class GpuError extends Error {
  /** Its class, for messages. */
  override name = "GpuError";
}
