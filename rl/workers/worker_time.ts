/** What a worker, or this device, did since that was last asked. */
export interface WorkerTime {
  /** What it calls itself; `here` is the device of this process. */
  name: string;
  /** Its device, as it is called; empty where nothing of it was taken. */
  device: string;
  /** That it made. */
  rollouts: number;
  /** Seconds that it took for them. */
  seconds: number;
  /** Seconds that it waited for something to do: a worker for jobs, this device for workers. */
  waited: number;
  /** Bytes of its results. */
  bytes: number;
  /** Bytes of models and weights that it fetched. */
  fetched: number;
  /** Results of it that were refused. */
  refused: number;
  /** Those of them that were made with older weights than they may be. */
  outdated: number;
  /** Times that it could not do a job, and said so. */
  failed: number;
}

/** Workers, as far as they are told of. */
export interface WorkersTimed {
  /** What was done since this was last asked, by each. */
  takeSpent(): WorkerTime[];
}

/** Counts what workers do. */
export interface WorkTally extends WorkersTimed {
  count(worker: string, done: Partial<Omit<WorkerTime, "name">>): void;
}

const NOTHING = {
  rollouts: 0,
  seconds: 0,
  waited: 0,
  bytes: 0,
  fetched: 0,
  refused: 0,
  outdated: 0,
  failed: 0,
};

/** A tally of nothing so far. */
export function tallyWork(): WorkTally {
  const spent = new Map<string, WorkerTime>();
  return {
    count(name, { device, ...done }) {
      const entry = spent.get(name) ?? { name, device: "", ...NOTHING };
      for (const key of Object.keys(NOTHING) as (keyof typeof NOTHING)[]) entry[key] += done[key] ?? 0;
      spent.set(name, { ...entry, device: device ?? entry.device });
    },
    takeSpent() {
      const taken = [...spent.values()];
      spent.clear();
      return taken;
    },
  };
}
