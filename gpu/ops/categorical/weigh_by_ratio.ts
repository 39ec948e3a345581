import type { Gpu } from "../../gpu.ts";
import { grid, run } from "../../kernel.ts";
import { expectShape, type Tensor } from "../../tensor.ts";
import code from "./weigh_by_ratio.wgsl" with { type: "text" };

/**
 * Weighs actions of an older policy by their importance ratios, none above a bound: weights [n] become weights min(p / p_old, bound).
 * @param logp [n], ln p of each action now
 * @param old [n], ln p_old of each when it was taken
 * @param logRatio [n]: becomes ln (p / p_old), not bounded
 */
export function weighByRatio(
  gpu: Gpu,
  { logp, old, weights, logRatio }: { logp: Tensor; old: Tensor; weights: Tensor; logRatio: Tensor },
  bound: number,
): void {
  const [n] = logp.shape;
  for (const tensor of [old, weights, logRatio]) expectShape("weigh_by_ratio", tensor, [n]);
  run(
    gpu,
    { label: "weigh_by_ratio", code: () => code },
    [logp, old, weights, logRatio],
    { n, log_bound: Math.log(bound) },
    grid(Math.ceil(n / 64)),
  );
}
