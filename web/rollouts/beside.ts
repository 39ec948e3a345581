import type { RolloutLine, Sighting, Source } from "../data/view_data.ts";
import { stepsOf } from "../data/view_data.ts";

/** A rollout by its place's id and its number there. */
export interface RolloutAddress {
  id: string;
  place: number;
}

/** Rollouts that are shown beside the one of the address, as the address has them. */
export function besideOf(text: string | undefined): RolloutAddress[] {
  return (text ?? "").split(",").filter((part) => part.includes("@")).slice(0, MOST_BESIDE).map((part) => {
    const at = part.lastIndexOf("@");
    return { id: decoded(part.slice(0, at)), place: Number(part.slice(at + 1)) };
  }).filter(({ place }) => Number.isInteger(place) && place >= 0);
}

/** The same as text. */
export const besideText = (rollouts: readonly RolloutAddress[]): string =>
  rollouts.slice(0, MOST_BESIDE).map(({ id, place }) => `${encodeURIComponent(id)}@${place}`).join(",");

/** More columns cannot be read. */
const MOST_BESIDE = 11;

/** A place, and a mode of it, where a question was seen. */
export interface OtherSight {
  id: string;
  mode: string | null;
  /** The update nearest to the one that is looked at; null in an evaluation. */
  step: number | null;
}

/** Where else the question of a rollout was seen: the run's first and last update that kept it, other modes of an evaluation, other runs. */
export function otherSights(
  sightings: readonly Sighting[],
  rollout: RolloutLine & { id: string },
): OtherSight[] {
  return sightings.flatMap(({ id, modes, steps }): OtherSight[] => {
    if (steps.length > 0) {
      const all = stepsOf(steps);
      if (id !== rollout.id) return [{ id, mode: null, step: nearestTo(all, rollout.step) }];
      const ends = all.length > 1 ? [all[0], all.at(-1)!] : [];
      return ends.filter((step) => step !== rollout.step).map((step) => ({ id, mode: null, step }));
    }
    return modes.filter((mode) => id !== rollout.id || mode !== rollout.mode).map((mode) => ({
      id,
      mode,
      step: null,
    }));
  });
}

/** A rollout of another sight: the same sample, where there is one. */
export async function findSight(
  source: Source,
  { id, mode, step }: OtherSight,
  { question, sample }: RolloutLine,
): Promise<RolloutAddress | null> {
  const query = {
    question,
    ...(mode === null ? {} : { mode }),
    ...(step === null ? {} : { step, nearest: true }),
  };
  const { lines } = await source.rollouts(id, { ...query, limit: 200 });
  const found = lines.find((line) => line.sample === sample) ?? lines[0];
  return found ? { id, place: found.place } : null;
}

/** The last where it is not asked for: there the run has learned most. */
function nearestTo(steps: readonly number[], wanted: number | null): number {
  if (wanted === null) return steps.at(-1)!;
  return steps.reduce(
    (best, step) => Math.abs(step - wanted) < Math.abs(best - wanted) ? step : best,
    steps[0],
  );
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
