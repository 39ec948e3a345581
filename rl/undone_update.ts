import { UserError } from "../gpu/errors.ts";
import type { Learners } from "./cluster/learners.ts";
import { NatsRefusal } from "./workers/nats_patience.ts";

/** Why rollouts were not made, as learners tell it each other. */
export interface PlainReason {
  message: string;
  hint?: string;
  /** Whoever trains is to be told: it was not asked for. */
  isFailure: boolean;
}

/** An update's rollouts were not made: the weights are still those before it, and can be saved. */
export class UndoneUpdate extends Error {
  constructor(readonly plain: PlainReason, options?: ErrorOptions) {
    super(plain.message, options);
    this.name = "UndoneUpdate";
  }

  /** What the training ends with; undefined where it was asked to stop. */
  get failure(): UserError | undefined {
    const { message, hint, isFailure } = this.plain;
    return isFailure ? new UserError(message, hint) : undefined;
  }
}

/** What an error in an update's rollouts means for it; undefined of one after which nothing is sure. */
export function undoneBy(error: unknown): UndoneUpdate | undefined {
  if (!(error instanceof Error)) return undefined;
  const { message, name: kind } = error;
  // Own code that gave no answer after Ctrl-C, or workers alone who were to make them, and nobody is there.
  if (kind === "AbortError") return new UndoneUpdate({ message, isFailure: false }, { cause: error });
  if (!(error instanceof NatsRefusal)) return undefined;
  return new UndoneUpdate({ message, hint: error.hint, isFailure: true }, { cause: error });
}

/**
 * What each learner of an update does before it sums, or in place of it where its rollouts were not made.
 * @throws UndoneUpdate on all of them where that is so of one
 */
export async function throwIfUndone(learners: Learners, own?: UndoneUpdate): Promise<void> {
  throwUndone(own, await learners.gather(own?.plain));
}

/** @throws UndoneUpdate its own, or that of another learner */
export function throwUndone(own: UndoneUpdate | undefined, all: readonly (PlainReason | undefined)[]): void {
  if (own) throw own;
  const other = all.find((reason) => reason !== undefined);
  if (other) throw new UndoneUpdate(other);
}
