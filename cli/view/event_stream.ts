import type { Source } from "../../web/data/view_data.ts";

/** Ms between signs of life: without one, what lies in between may close a connection, or nobody notices that the page is gone. */
const ALIVE_EVERY = 15_000;

/** The changes of a source as server-sent events: `change`, with the ids of the places as a list in JSON. */
export function eventStream(source: Source): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let end = () => {};
  return new ReadableStream({
    start(controller) {
      const send = (text: string) => {
        try {
          controller.enqueue(encoder.encode(text));
        } catch {
          end(); // it was closed
        }
      };
      const stop = source.onChange((ids) => send(`event: change\ndata: ${JSON.stringify(ids)}\n\n`));
      const alive = setInterval(() => send(":\n\n"), ALIVE_EVERY);
      end = () => {
        clearInterval(alive);
        stop();
      };
      send(": softcot view\n\n");
    },
    cancel: () => end(),
  });
}
