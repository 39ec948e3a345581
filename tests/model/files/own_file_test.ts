import { assertEquals } from "@std/assert";
import { inFolder } from "../../support/folders.ts";
import type { Opening } from "./support/open_worker.ts";

Deno.test("who makes a file at the moment at which another one does opens that one's", () =>
  inFolder(async (folder) => {
    const opening: Opening = { folder, files: 500, workers: 2, ready: new SharedArrayBuffer(4) };
    const wrong = await Promise.all(Array.from({ length: opening.workers }, async () => {
      const worker = new Worker(new URL("support/open_worker.ts", import.meta.url), { type: "module" });
      const answer = new Promise<string[]>((resolve, reject) => {
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = ({ message }) => reject(new Error(message));
      });
      worker.postMessage(opening);
      const found = await answer;
      worker.terminate();
      return found;
    }));
    assertEquals(wrong.flat(), []);
    assertEquals([...Deno.readDirSync(folder)].length, opening.files);
  }));
