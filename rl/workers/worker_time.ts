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
}

/** Workers, as far as they are told of. */
export interface WorkersTimed {
  /** What was done since this was last asked, by each. */
  takeSpent(): WorkerTime[];
}
