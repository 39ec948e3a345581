let isForgiving = false;

/**
 * Lets resets of connections end nothing, from now on. The NATS client takes its listeners off a socket before it ends it: what that socket
 * still meets, as after a refused password, is nobody's error, and would end the process. The client itself tells of every connection that breaks.
 */
export function forgiveResets(): void {
  if (isForgiving) return;
  isForgiving = true;
  globalThis.addEventListener("error", (event) => {
    if (isReset(event.error)) event.preventDefault();
  });
  globalThis.addEventListener("unhandledrejection", (event) => {
    if (isReset(event.reason)) event.preventDefault();
  });
}

const isReset = (error: unknown): boolean =>
  error instanceof Error && "code" in error && (error.code === "ECONNRESET" || error.code === "EPIPE");
