import { NO_ROW } from "../gpu/ops/gather/gather.ts";
import { type PackedRows, packGroups } from "../model/transformer/packing.ts";

/** One rollout as the objective needs it. */
export interface ScoredRollout {
  /** Number that keys its draws: b G + g. */
  id: number;
  /** Its row of `hidden`. */
  index: number;
  thinking: readonly number[];
  forced: readonly number[];
  answer: readonly number[];
  advantage: number;
  /** ln pi of its tokens when they were drawn, where that was by older weights; of thoughts that are rows it is not looked at. */
  drawn?: { thinking: ArrayLike<number>; answer: ArrayLike<number> };
}

/** The rollouts of one prompt. */
export interface ScoredGroup {
  prompt: readonly number[];
  rollouts: readonly ScoredRollout[];
}

/** One action: the packed row whose output predicts it, and what is needed to score it. */
export interface Action {
  row: number;
  /** The packed row that it made. */
  made: number;
  token: number;
  weight: number;
  rollout: number;
  position: number;
  hiddenRow: number;
  /** ln pi when it was taken, where that is known. */
  drawn: number;
}

/** Rows that a rollout adds to its prompt's in the training pass: the last answer token is never an input. */
export const inputRows = (rollout: ScoredRollout): number =>
  rollout.thinking.length + rollout.forced.length + Math.max(0, rollout.answer.length - 1);

/** A micro-batch laid out for the training pass. */
export interface PackedBatch {
  packed: PackedRows;
  /** Token of each row; NO_ROW where the row is a thought. */
  ids: Uint32Array<ArrayBuffer>;
  /** Row of `hidden` [rollouts * steps, d] that each thought is; NO_ROW where the row is a token. */
  hiddenRows: Uint32Array<ArrayBuffer>;
  thinking: Action[];
  answer: Action[];
}

/** What the layout needs of the objective's settings. */
interface PackedSettings {
  /** Thoughts are rows of `hidden`, not tokens. */
  continuous: boolean;
  /** Steps that `hidden` holds of each rollout. */
  steps: number;
  /** A weight on every action, and one more on thinking. */
  scale: number;
  thinkingWeight: number;
  /** Rows of an attention tile. */
  tileRows: number;
}

/** Packs prompts and rollouts, and lists their actions: the row before each one predicts it (method section 1). */
export function packBatch(groups: readonly ScoredGroup[], settings: PackedSettings): PackedBatch {
  const packed = packGroups(
    groups.map(({ prompt, rollouts }) => ({ prompt: prompt.length, continuations: rollouts.map(inputRows) })),
    settings.tileRows,
  );
  const ids = new Uint32Array(packed.rows).fill(NO_ROW);
  const hiddenRows = new Uint32Array(packed.rows).fill(NO_ROW);
  const thinking: Action[] = [];
  const answer: Action[] = [];
  groups.forEach(({ prompt, rollouts }, g) => {
    const [promptStart, ...starts] = packed.starts[g];
    ids.set(prompt, promptStart);
    rollouts.forEach((rollout, r) => {
      const start = starts[r];
      const weight = -rollout.advantage * settings.scale;
      const before = (row: number) => row === start ? promptStart + prompt.length - 1 : row - 1;
      const action = (
        row: number,
        token: number,
        hiddenRow: number,
        factor: number,
        drawn = 0,
      ): Action => ({
        row: before(row),
        made: row,
        token,
        weight: weight * factor,
        rollout: rollout.id,
        position: prompt.length + row - start,
        hiddenRow,
        drawn,
      });
      rollout.thinking.forEach((token, t) => {
        const hiddenRow = rollout.index * settings.steps + t;
        thinking.push(
          action(start + t, token, hiddenRow, settings.thinkingWeight, rollout.drawn?.thinking[t]),
        );
        if (settings.continuous) hiddenRows[start + t] = hiddenRow;
        else ids[start + t] = token;
      });
      const forcedStart = start + rollout.thinking.length;
      ids.set(rollout.forced, forcedStart);
      const answerStart = forcedStart + rollout.forced.length;
      ids.set(rollout.answer.slice(0, -1), answerStart);
      rollout.answer.forEach((token, a) =>
        answer.push(action(answerStart + a, token, 0, 1, rollout.drawn?.answer[a]))
      );
    });
  });
  return { packed, ids, hiddenRows, thinking, answer };
}
