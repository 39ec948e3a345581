import type { RolloutLine } from "../data/view_data.ts";
import { shortNumber, signed } from "./explain_reward.ts";

/** All rollouts of a group as bars of their rewards, each a link to it. */
export function GroupStrip({ lines, place, address }: {
  lines: readonly RolloutLine[];
  /** Of the rollout that is shown. */
  place: number;
  address: (line: RolloutLine) => string;
}) {
  const top = Math.max(100, ...lines.map(({ reward }) => reward));
  const { equal, refilled } = lines[0];
  return (
    <nav class="group-strip" aria-label="Rollouts of the group">
      <ol>
        {lines.map((line, i) => (
          <li key={line.place}>
            <a
              href={address(line)}
              class={line.correct ? "right" : "wrong"}
              aria-current={line.place === place ? "true" : undefined}
              title={`${line.correct ? "right" : "wrong"}, reward ${shortNumber(line.reward)}${
                line.advantage === null ? "" : `, advantage ${signed(line.advantage)}`
              }`}
            >
              <span class="group-bar" aria-hidden="true">
                <span style={{ height: `${Math.max(3, 100 * Math.max(0, line.reward) / top)}%` }} />
              </span>
              <span class="group-sample">
                <span class="hidden-text">rollout</span> {line.group === "" ? i + 1 : line.sample + 1}
              </span>
              <span class="hidden-text">
                : {line.correct ? "right" : "wrong"}, reward {shortNumber(line.reward)}
              </span>
            </a>
          </li>
        ))}
      </ol>
      {equal && <span class="badge">equal: nothing was learned from this group</span>}
      {refilled && <span class="badge note">refilled: drawn since another group had no difference</span>}
    </nav>
  );
}
