/** Short runs whose every step trains; some answers are right. */
const SMALL_RUN = {
  questions: 2,
  group: 6,
  steps: 6,
  "max-thinking": 6,
  "answer-tokens": 5,
  lr: 0.01,
  warmup: 2,
  "validate-every": 4,
  "validation-questions": 4,
  "test-questions": 0,
  "save-every": 3,
  "sample-every": 2,
};

/** Flags of `train` by their names; `true` for one without a value. */
export type TrainFlags = Record<string, string | number | true>;

/** `train` with the flags of a short run, and others in their place or beside them. */
export function trainArgs(flags: TrainFlags): string[] {
  const all = Object.entries<string | number | true>({ ...SMALL_RUN, ...flags });
  return [
    "train",
    ...all.flatMap(([name, value]) => value === true ? [`--${name}`] : [`--${name}`, `${value}`]),
  ];
}

/** `train` that goes on with a run. */
export const resumeArgs = (out: string): string[] => ["train", "--resume", "--out", out];
