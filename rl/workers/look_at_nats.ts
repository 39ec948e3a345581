import { jetstreamManager } from "@nats-io/jetstream";
import type { UserError } from "../../gpu/errors.ts";
import { connectNats, type NatsPlace, shownPlace } from "./connect_nats.ts";
import { RESULTS, workersThere } from "./streams.ts";

/** What there is of a NATS server; of one that cannot be used why not. */
export interface NatsDiagnosis {
  url: string;
  /** Undefined where it can be used. */
  problem?: string;
  hint?: string;
  version?: string;
  /** Milliseconds to it and back. */
  roundTripMs?: number;
  /** The most bytes of a message. */
  maxPayload?: number;
  /** JetStream's bytes on disk, and how many it may have there; undefined where the account sets no bound, so that the server's disk does. */
  storedBytes?: number;
  maxStoredBytes?: number;
  /** Workers that wait for jobs, jobs that are made, that wait, and results that wait, of all trainings and evaluations; undefined before any was there. */
  workersWaiting?: number;
  jobsAtWork?: number;
  jobsWaiting?: number;
  resultsWaiting?: number;
}

/** Looks at a server without changing anything there. */
export async function lookAtNats(place: NatsPlace): Promise<NatsDiagnosis> {
  const url = shownPlace(place);
  try {
    const connection = await connectNats(place, "softcot doctor");
    try {
      const manager = await jetstreamManager(connection);
      const { storage, limits } = await manager.getAccountInfo();
      const workers = await workersThere(manager);
      const results = (await manager.streams.info(RESULTS).catch(() => undefined))?.state.messages;
      return {
        url,
        version: connection.info!.version,
        roundTripMs: await connection.rtt(),
        maxPayload: connection.info!.max_payload,
        storedBytes: storage,
        ...(limits.max_storage >= 0 ? { maxStoredBytes: limits.max_storage } : {}),
        ...(workers
          ? {
            ...{ workersWaiting: workers.num_waiting, jobsAtWork: workers.num_ack_pending },
            ...{ jobsWaiting: workers.num_pending, resultsWaiting: results ?? 0 },
          }
          : {}),
      };
    } finally {
      await connection.close();
    }
  } catch (error) {
    const { message, hint } = error as UserError;
    return { url, problem: message, ...(hint ? { hint } : {}) };
  }
}
