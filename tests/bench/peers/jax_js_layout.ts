import type { ModelConfig } from "../../../model/transformer/config.ts";

/** One rollout of an update: its lengths, tokens and weight in the objective. */
export interface UpdateRollout {
  /** Rows of thinking. */
  thinking: number;
  /** Tokens that follow it and are given. */
  forced: readonly number[];
  /** Tokens that are scored; the last is never an input. */
  answer: readonly number[];
  /** On ln pi of all its actions. */
  weight: number;
}

/** An update's rollouts, prompt by prompt; as many of each. */
export interface UpdateBatch {
  config: ModelConfig;
  /** Temperature of the mixture. */
  tau: number;
  /** Rows that `hidden` holds of each rollout. */
  steps: number;
  groups: { prompt: readonly number[]; rollouts: readonly UpdateRollout[] }[];
}

/** Numbers of a shape, row by row. */
export interface Numbers {
  shape: number[];
  data: Float32Array<ArrayBuffer>;
}

/**
 * Rollouts as rows of equal sequences: each prompt once, then bins of two rollouts each, the longest with the shortest, so
 * that hardly a row is padding. B prompts of P rows, N bins in all of T rows; P and T are multiples of 4 (register tiles
 * of jax-js divide its shapes). Rows: B P + N T; the head reads the bins' rows and the last row of each prompt.
 */
export interface Layout {
  prompts: number;
  promptRows: number;
  bins: number;
  binRows: number;
  headRows: number;
  /** Token of each row; 0 where there is none. */
  ids: Int32Array<ArrayBuffer>;
  constants: {
    /** [rows, 1]: 1 where the row is a token. */
    isToken: Numbers;
    /** [V, rows]: 1 where the row is this token. */
    tokens: Numbers;
    /** [rows, d]: thoughts that are fed. */
    fed: Numbers;
    /** [rows, 1, hd]: of the rotation, the sine's first half negated. */
    cos: Numbers;
    sin: Numbers;
    /** [P, P]: 0 where a prompt's row sees another, else very low. */
    promptBias: Numbers;
    /** [N, T, P + T]: the same of the bins' rows over their prompt's and their own. */
    binBias: Numbers;
    /** [B, P]: 1 at each prompt's last row. */
    last: Numbers;
    /** [head rows, d]: the objective's gradient on the mixture of each row. */
    direction: Numbers;
    /** [head rows, V]: the weight of ln p of each row's answer token. */
    targets: Numbers;
    /** [head rows, 1]: its sum by row. */
    targetWeight: Numbers;
    /** [1, V]: very low where an id is no token. */
    vocabularyBias: Numbers;
  };
}

const LOW = -1e30;

const upTo = (n: number, multiple: number): number => Math.ceil(n / multiple) * multiple;

const zeros = (...shape: number[]): Numbers => ({
  shape,
  data: new Float32Array(shape.reduce((product, n) => product * n, 1)),
});

/** Rows that a rollout is. */
const rowsOf = ({ thinking, forced, answer }: UpdateRollout) => thinking + forced.length + answer.length - 1;

/** Numbers of the rollouts of each bin: those that are longest and shortest together. */
function binsOf(rollouts: readonly UpdateRollout[]): number[][] {
  const order = rollouts.map((_, g) => g).sort((a, b) => rowsOf(rollouts[b]) - rowsOf(rollouts[a]));
  return Array.from({ length: Math.ceil(order.length / 2) }, (_, i) => {
    const other = order.length - 1 - i;
    return other === i ? [order[i]] : [order[i], order[other]];
  });
}

/**
 * @param hidden [rollouts, steps, d], what each thought was
 * @param directions [thinking actions, d], rollout by rollout
 */
export function layOut(
  { config, steps, groups }: UpdateBatch,
  hidden: Float32Array,
  directions: Float32Array,
): Layout {
  const { hiddenSize: d, headDim: hd, vocabSize, usedVocabSize, ropeTheta } = config;
  const binned = groups.map(({ rollouts }) => binsOf(rollouts));
  const sizes = groups.map(({ rollouts }, b) =>
    binned[b].map((bin) => bin.reduce((sum, g) => sum + rowsOf(rollouts[g]), 0))
  );
  const P = upTo(Math.max(...groups.map(({ prompt }) => prompt.length)), 4);
  const T = upTo(Math.max(...sizes.flat()), 4);
  const [B, N] = [groups.length, sizes.flat().length];
  const rows = B * P + N * T;
  const headRows = upTo(N * T + B, 4);
  const ids = new Int32Array(rows);
  const made = {
    isToken: zeros(rows, 1),
    tokens: zeros(vocabSize, rows),
    fed: zeros(rows, d),
    cos: zeros(rows, 1, hd),
    sin: zeros(rows, 1, hd),
    promptBias: zeros(P, P),
    binBias: zeros(N, T, P + T),
    last: zeros(B, P),
    direction: zeros(headRows, d),
    targets: zeros(headRows, vocabSize),
    targetWeight: zeros(headRows, 1),
    vocabularyBias: zeros(1, vocabSize),
  };
  made.vocabularyBias.data.fill(LOW, usedVocabSize);
  made.binBias.data.fill(LOW);
  for (let i = 0; i < P; i++) made.promptBias.data.fill(LOW, i * P + i + 1, (i + 1) * P);

  const token = (row: number, id: number) => {
    ids[row] = id;
    made.isToken.data[row] = 1;
    made.tokens.data[id * rows + row] = 1;
  };
  const rotate = (row: number, position: number) => {
    for (let c = 0; c < hd; c++) {
      const angle = position * ropeTheta ** (-2 * (c % (hd / 2)) / hd);
      made.cos.data[row * hd + c] = Math.cos(angle);
      made.sin.data[row * hd + c] = c < hd / 2 ? -Math.sin(angle) : Math.sin(angle);
    }
  };
  const lastOf = (b: number) => N * T + b;

  /** One rollout whose rows begin at `start` of a bin; its first action is number `action`. */
  const place = (b: number, bin: number, start: number, g: number, action: number) => {
    const { prompt, rollouts } = groups[b];
    const { thinking, forced, answer, weight } = rollouts[g];
    const count = rowsOf(rollouts[g]);
    const rollout = groups.slice(0, b).reduce((sum, group) => sum + group.rollouts.length, 0) + g;
    for (let i = 0; i < count; i++) {
      const row = B * P + bin * T + start + i;
      const bias = made.binBias.data.subarray((bin * T + start + i) * (P + T)).subarray(0, P + T);
      bias.fill(0, 0, prompt.length);
      bias.fill(0, P + start, P + start + i + 1);
      rotate(row, prompt.length + i);
      if (i < thinking) {
        const at = (rollout * steps + i) * d;
        made.fed.data.set(hidden.subarray(at, at + d), row * d);
      } else token(row, [...forced, ...answer][i - thinking]);
    }
    for (let t = 0; t < thinking; t++) {
      const to = t === 0 ? lastOf(b) : bin * T + start + t - 1;
      for (let c = 0; c < d; c++) made.direction.data[to * d + c] += directions[(action + t) * d + c];
    }
    answer.forEach((id, a) => {
      const row = bin * T + start + thinking + forced.length - 1 + a;
      made.targets.data[row * vocabSize + id] += weight;
      made.targetWeight.data[row] += weight;
    });
  };

  let [bin, firstAction] = [0, 0];
  groups.forEach(({ prompt, rollouts }, b) => {
    for (let i = 0; i < P; i++) rotate(b * P + i, i);
    prompt.forEach((id, i) => token(b * P + i, id));
    made.last.data[b * P + prompt.length - 1] = 1;
    const actions = rollouts.map((_, g) =>
      firstAction + rollouts.slice(0, g).reduce((sum, { thinking }) => sum + thinking, 0)
    );
    for (const members of binned[b]) {
      let start = 0;
      for (const g of members) {
        place(b, bin, start, g, actions[g]);
        start += rowsOf(rollouts[g]);
      }
      bin++;
    }
    firstAction += rollouts.reduce((sum, { thinking }) => sum + thinking, 0);
  });
  return { prompts: B, promptRows: P, bins: N, binRows: T, headRows, ids, constants: made };
}
