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

/** The device is gone, by a fault of its driver or hardware or since somebody reset it; with it goes all that it held. */
export class DeviceLostError extends GpuError {
  /** Its class, for messages. */
  override name = "DeviceLostError";
}

/** The device has no memory left for what was asked of it. */
export class OutOfMemoryError extends GpuError {
  /** Its class, for messages. */
  override name = "OutOfMemoryError";

  /**
   * The error.
   *
   * @param message what memory was asked for
   * @param memory of an allocation: bytes that were held beside it, and its own
   */
  constructor(message: string, readonly memory?: { held: number; asked: number }) {
    super(message);
  }
}
