/** A sweep of short runs: two ways, as many seeds as are asked for, measured before, on the way and at the end. */
export interface SweepFile {
  model: string;
  seeds?: number[];
  /** Lines of TOML for [fixed]. */
  fixed?: string;
  /** [[grid.way]] tables; hard and soft if left out. */
  ways?: string;
  /** After how many updates it is measured. */
  at?: string;
  modes?: string[];
  tasks?: string[];
}

const WAYS = `
[[grid.way]]
name = "hard"
thinking = "hard"
[[grid.way]]
name = "soft"
thinking = "soft"
gamma = 0.6
`;

/** Its TOML text. */
export function sweepFile(
  { model, seeds = [0, 1], fixed = "", ways = WAYS, ...measured }: SweepFile,
): string {
  const { at = '[0, 3, "end"]', modes = ["hard-greedy", "hard-sample"], tasks = ["sums", "owners"] } =
    measured;
  return `
[fixed]
model = "${model}"
questions = 2
group = 6
steps = 6
max-thinking = 6
answer-tokens = 5
lr = 0.01
warmup = 2
validate-every = 4
validation-questions = 4
test-questions = 0
save-every = 3
sample-every = 2
${fixed}
[grid]
seed = [${seeds.join(", ")}]
${ways}
[[evaluate]]
name = "both"
tasks = ${JSON.stringify(tasks)}
at = ${at}
samples = 2
limit = 8
mode = ${JSON.stringify(modes)}
max-thinking = 6
`;
}
