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
  round_trip_ms?: number;
  /** The most bytes of a message. */
  max_payload?: number;
  /** JetStream's bytes on disk, and how many it may have there; undefined where the account sets no bound, so that the server's disk does. */
  stored_bytes?: number;
  max_stored_bytes?: number;
  /** Workers that wait for jobs, jobs that are made, that wait, and results that wait, of all trainings and evaluations; undefined before any was there. */
  workers_waiting?: number;
  jobs_at_work?: number;
  jobs_waiting?: number;
  results_waiting?: number;
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
        round_trip_ms: await connection.rtt(),
        max_payload: connection.info!.max_payload,
        stored_bytes: storage,
        ...(limits.max_storage >= 0 ? { max_stored_bytes: limits.max_storage } : {}),
        ...(workers
          ? {
            ...{ workers_waiting: workers.num_waiting, jobs_at_work: workers.num_ack_pending },
            ...{ jobs_waiting: workers.num_pending, results_waiting: results ?? 0 },
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
