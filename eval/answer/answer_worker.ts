/** The worker of answer_pool.ts: judges the pairs it is sent, in order, and sends the verdicts back. */
/// <reference lib="webworker" />
import { loadEngine } from "./algebra/engine.ts";
import { type Verdict, verify, type VerifyOptions } from "./verify.ts";

/** One pair on its way to a worker. */
export interface Job {
  id: number;
  gold: string | string[];
  answer: string;
  options: VerifyOptions;
}

/** One verdict on its way back. */
export interface Done {
  id: number;
  verdict: Verdict;
}

const scope = self as unknown as DedicatedWorkerGlobalScope;

scope.onmessage = async ({ data }: MessageEvent<Job[]>) => {
  // Loaded once, before the first pair: no pair's clock counts it.
  await loadEngine();
  for (const { id, gold, answer, options } of data) {
    const done: Done = { id, verdict: verify(gold, answer, options) };
    scope.postMessage(done);
  }
};
