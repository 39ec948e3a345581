import type { Columns } from "../data/view_data.ts";
import { meanOf } from "./phases.ts";

/** What one of several processes did in an update, in the mean over those in which it took part. */
export interface Share {
  name: string;
  /** Updates, or points that stand for several, in which it took part. */
  updates: number;
  /** By the names that metrics.jsonl has for them. */
  means: Record<string, number>;
}

/** What workers or learners did, each by its name, as columns `time.workers.NAME.rollouts` tell; learners are called by their ranks. */
export function sharesOf(columns: Columns, kind: "workers" | "learners"): Share[] {
  const shares = new Map<string, Share>();
  for (const [key, values] of Object.entries(columns)) {
    // A name may have dots, a field has none.
    const [, name, field] = /^time\.(?:workers|learners)\.(.+)\.(\w+)$/.exec(key) ?? [];
    if (name === undefined || !key.startsWith(`time.${kind}.`)) continue;
    const share = shares.get(name) ?? { name, updates: 0, means: {} };
    share.means[field] = meanOf(values) ?? 0;
    share.updates = Math.max(share.updates, values.filter((value) => value !== null).length);
    shares.set(name, share);
  }
  return [...shares.values()];
}
