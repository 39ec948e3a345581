import type { Scratch } from "../../gpu/arena.ts";
import { firstRows, type Tensor } from "../../gpu/tensor.ts";
import type { DecodeState, StepRows, TakeStep } from "../generation/decode_state.ts";
import type { Sequence } from "../generation/sequence.ts";
import type { Thinking } from "../thinking/thinking.ts";
import { STRIDE } from "../transformer/stride_steps.ts";
import type { ServedSequence } from "./served_sequence.ts";

/** What keys all draws of a server beside each row's own number, which the seed of its request is in. */
export interface DrawKey {
  seed: number;
  step: number;
}

/** What is kept of a stride's steps for those who want to see them: [places, STRIDE, V]. */
export interface SeenSteps {
  tensor: Tensor;
  /** Where each sequence's logits, and its mixtures, are kept. */
  logits: Map<Sequence, number>;
  mixtures: Map<Sequence, number>;
}

/** Sequences in the order of their rows: answers, then thinking, and those that take the same steps side by side. */
export function inGroups(sequences: readonly ServedSequence[]): ServedSequence[] {
  const keyed = sequences.map((sequence) => ({ sequence, key: keyOf(sequence) }));
  keyed.sort((a, b) => a.key < b.key ? -1 : a.key > b.key ? 1 : a.sequence.index - b.sequence.index);
  return keyed.map(({ sequence }) => sequence);
}

/** "answer" comes before "thinking". */
const keyOf = ({ part, job }: ServedSequence): string => `${part} ${job.steps[part].key}`;

/** Room for what is to be seen of a stride; null where nobody wants to see any. */
export function roomForSeen(
  { config }: DecodeState["model"],
  sequences: readonly ServedSequence[],
  scratch: Scratch,
): SeenSteps | null {
  let places = 0;
  const [logits, mixtures] = [new Map<Sequence, number>(), new Map<Sequence, number>()];
  for (const sequence of sequences) {
    const { observed } = sequence.job;
    if (observed.logits) logits.set(sequence, places++);
    if (observed.mixture && sequence.part === "thinking") mixtures.set(sequence, places++);
  }
  if (places === 0) return null;
  return { logits, mixtures, tensor: scratch.f32([places, STRIDE, config.vocabSize], "steps to be seen") };
}

/**
 * Steps of sequences that have different settings: logits are those of one product, then each group of rows that take the same steps
 * takes them with the kernels of training, by settings of its own. A group that does not begin with the first row works on copies of
 * its rows, since views of others may not begin anywhere. No kernel is another one than in training, so no row has other bits.
 *
 * @param seen what is to be kept of the stride at work
 */
export function stepByGroup(draws: DrawKey, seen: () => SeenSteps | null): TakeStep {
  return (state, sequences, step) => {
    const all = sequences as readonly ServedSequence[];
    for (let start = 0; start < all.length;) {
      const key = keyOf(all[start]);
      let end = start + 1;
      while (end < all.length && keyOf(all[end]) === key) end++;
      const { part, job } = all[start];
      takeGroup(state, all.slice(start, end), start, job.steps[part].thinking, step, draws, seen());
      start = end;
    }
  };
}

function takeGroup(
  state: DecodeState,
  group: readonly ServedSequence[],
  start: number,
  thinking: Thinking,
  { y, z, temporary, t }: StepRows,
  draws: DrawKey,
  seen: SeenSteps | null,
): void {
  const { model } = state;
  const { commands } = model.gpu;
  const count = group.length;
  const wide = (tensor: Tensor) => tensor.shape[tensor.shape.length - 1];
  /** A group's rows of a tensor: a view of the first ones, a copy of others. */
  const of = (tensor: Tensor): Tensor => {
    if (start === 0) return firstRows(tensor, count);
    const width = wide(tensor);
    const copy = tensor.dtype === "u32"
      ? temporary.u32([count, width], `group's ${tensor.label}`)
      : temporary.f32([count, width], `group's ${tensor.label}`);
    commands.copy(tensor, start * width, copy, 0, count * width);
    return copy;
  };
  const logits = of(z);
  keep(commands, logits, group, seen?.logits, seen, t);
  const d = wide(state.rows);
  const next = start === 0 ? firstRows(state.rows, count) : temporary.f32([count, d], "group's next rows");
  thinking.step({
    ...{ model, y: of(y), z: logits, info: of(state.info), shift: t, next, fed: state.fed, ...draws },
    record: { ...state.thinking, column: t },
    chosen: temporary.u32([count], "chosen"),
  });
  if (start > 0) commands.copy(next, 0, state.rows, start * d, count * d);
  keep(commands, logits, group, seen?.mixtures, seen, t);
}

/** Keeps rows of z for those of a group who want to see them. */
function keep(
  commands: DecodeState["model"]["gpu"]["commands"],
  z: Tensor,
  group: readonly ServedSequence[],
  places: ReadonlyMap<Sequence, number> | undefined,
  seen: SeenSteps | null,
  t: number,
): void {
  if (!seen || !places) return;
  const width = z.shape[1];
  group.forEach((sequence, row) => {
    const place = places.get(sequence);
    if (place !== undefined) {
      commands.copy(z, row * width, seen.tensor, (place * STRIDE + t) * width, width);
    }
  });
}
