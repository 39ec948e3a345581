/**
 * A worker that opens `folder`/0, 1, ..., each when all workers are about to, and sends what went wrong.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import { openOwn } from "../../../../model/files/own_file.ts";

/** What it is sent. */
export interface Opening {
  folder: string;
  files: number;
  workers: number;
  /** Of one 32-bit number, 0 at first: how often a worker was ready. */
  ready: SharedArrayBuffer;
}

self.onmessage = ({ data }: MessageEvent<Opening>) => {
  const { folder, files, workers } = data;
  const ready = new Int32Array(data.ready);
  const wrong: string[] = [];
  for (let i = 0; i < files; i++) {
    Atomics.add(ready, 0, 1);
    while (Atomics.load(ready, 0) < (i + 1) * workers);
    try {
      openOwn(`${folder}/${i}`, { write: true }).close();
    } catch (error) {
      wrong.push(String(error));
    }
  }
  self.postMessage(wrong);
};
