import { inspectValue } from "../eval/own_code/inspect_value.ts";
import { importOwnCode, OwnCodeError } from "../eval/own_code/own_code.ts";
import { UserError } from "../gpu/errors.ts";

/** What a reward function is told of one rollout. */
export interface RewardInput {
  /** Text of the question, without the prompt around it. */
  question: string;
  /** The right answer. */
  gold: string;
  /** All that was generated: thinking (its shadow, where it is soft or fuzzy), forced text, answer. */
  text: string;
  /** The thinking alone: its tokens' text, or that of the greedy shadow. */
  shadow: string;
  /** What the forced box holds; null if nothing can be extracted. */
  boxed: string | null;
  /** Whether the boxed answer is equivalent to the gold answer. */
  correct: boolean;
  /** Steps of thinking. */
  thinkingTokens: number;
}

/** One reward, in units of the task's own: 100 is a right answer. */
export type RewardFunction = (input: RewardInput) => number | Promise<number>;

/** A reward with its weight in the sum. */
export interface Reward {
  /** As it was given: `task`, or the file's path. */
  name: string;
  /** What its score is multiplied by. */
  weight: number;
  /** Undefined for the task's own grade. */
  score?: RewardFunction;
}

/** The task's own reward of 0, 10 or 100, alone (method section 4). */
export const TASK_REWARD: readonly Reward[] = [{ name: "task", weight: 1 }];

/**
 * The rewards of a run.
 * @param specs each `task` (the task's own grade) or the path of a TypeScript or JavaScript file whose default export
 *   is a {@linkcode RewardFunction}, with `=WEIGHT` behind it or a weight of 1; none: the task's own alone
 * @throws UserError if a file cannot be loaded or exports no function, or a weight is no number
 *
 * Files run in processes of their own, see {@linkcode startOwnCode}.
 */
export async function loadRewards(specs: readonly string[]): Promise<readonly Reward[]> {
  if (specs.length === 0) return TASK_REWARD;
  return await Promise.all(specs.map(loadReward));
}

/** The files among the rewards of a run. */
export function rewardFiles(specs: readonly string[]): string[] {
  return specs.map((spec) => partsOf(spec)[0]).filter((name) => name !== "task" && name !== "");
}

/** What stands before and behind the last `=`. */
function partsOf(spec: string): [name: string, weight: string | undefined] {
  const [, name, weight] = /^(.*?)(?:=([^=/\\]*))?$/.exec(spec)!;
  return [name, weight];
}

async function loadReward(spec: string): Promise<Reward> {
  const [name, weightText] = partsOf(spec);
  const weight = weightText === undefined ? 1 : Number(weightText);
  if (name === "" || weightText?.trim() === "" || !Number.isFinite(weight)) {
    throw new UserError(
      `Cannot use the reward ${spec}: FILE or FILE=WEIGHT is needed, the weight being a number`,
      "such as --reward task,brevity.ts=0.2",
    );
  }
  if (name === "task") return { name, weight };
  return { name, weight, score: await importReward(name) };
}

async function importReward(path: string): Promise<RewardFunction> {
  let exported: unknown;
  try {
    exported = await importOwnCode(path, []);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new UserError(`Cannot load the reward ${path}: there is no such file`, FORM);
    }
    if (!(error instanceof OwnCodeError)) throw error;
    throw new UserError(`Cannot load the reward ${path}: ${error.message}`, error.hint ?? FORM);
  }
  if (typeof exported !== "function") {
    throw new UserError(
      `Cannot load the reward ${path}: its default export is ${
        exported === undefined ? "missing" : `of type ${typeof exported}`
      }, a function is needed`,
      FORM,
    );
  }
  return exported as RewardFunction;
}

const FORM = "a reward is a file such as: export default ({ text, boxed }) => boxed === null ? 0 : 10";

/** The worth of one rollout: the weighted sum, and each reward before its weight. */
interface Worth {
  total: number;
  /** In the order of the rewards. */
  parts: number[];
}

/**
 * What a rollout is worth.
 * @param taskReward the task's own grade: 0, 10 or 100
 * @throws UserError if a reward function throws or gives no finite number, or their weighted sum is none
 */
export async function worthOf(
  rewards: readonly Reward[],
  taskReward: number,
  input: () => RewardInput,
): Promise<Worth> {
  const parts: number[] = [];
  for (const { name, score } of rewards) parts.push(score ? await scoreOf(name, score, input()) : taskReward);
  const total = rewards.reduce((sum, { weight }, i) => sum + weight * parts[i], 0);
  if (Number.isFinite(total)) return { total, parts };
  const told = rewards.map(({ name, weight }, i) => `${parts[i]} by ${name} times ${weight}`).join(", ");
  throw new UserError(`Cannot add up the rewards of a rollout: ${told}, a finite sum is needed`);
}

async function scoreOf(name: string, score: RewardFunction, input: RewardInput): Promise<number> {
  let value: unknown;
  try {
    value = await score(input);
  } catch (error) {
    if ((error as Error)?.name === "AbortError") throw error;
    const { message, hint } = error instanceof OwnCodeError ? error : {
      message: `it failed with ${JSON.stringify((error as Error)?.message ?? error)}`,
      hint: undefined,
    };
    const on = `on the text ${JSON.stringify(input.text.slice(-200))}`;
    throw new UserError(`Cannot reward a rollout by ${name}: ${message}`, hint ? `${on}; ${hint}` : on);
  }
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw new UserError(
    `Cannot reward a rollout by ${name}: it gave ${inspectValue(value)}, a finite number is needed`,
    `on the text ${JSON.stringify(input.text.slice(-200))}`,
  );
}
