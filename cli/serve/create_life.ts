/** How long a request is worked on. */
export interface Life {
  signal: AbortSignal;
  /** Why the signal was aborted. */
  ended(): "hung up" | "timed out" | "server ends";
  giveUp(why: ReturnType<Life["ended"]>): void;
  /** It is over: nothing is waited for, and nothing of it is kept. */
  end(): void;
}

/** With a timer of its own: one that cannot be taken back would keep each request for as long as it may take. */
export function createLife(client: AbortSignal, seconds: number): Life {
  const controller = new AbortController();
  let why: ReturnType<Life["ended"]> = "hung up";
  const giveUp: Life["giveUp"] = (reason) => {
    if (!controller.signal.aborted) why = reason;
    controller.abort();
  };
  const hangUp = () => giveUp("hung up");
  const timer = setTimeout(() => giveUp("timed out"), seconds * 1000);
  client.addEventListener("abort", hangUp);
  return {
    ...{ signal: controller.signal, ended: () => why, giveUp },
    end() {
      clearTimeout(timer);
      client.removeEventListener("abort", hangUp);
    },
  };
}
