import type { RolloutLine } from "../data/view_data.ts";
import { fixed, grouped } from "../parts/format.ts";
import { ShownText } from "../thought/shown_text.tsx";
import { shortNumber, signed } from "./explain_reward.ts";

const ENDS: Record<string, string> = { "trigger": "trigger", "end-token": "end token", "limit": "limit" };

/** From so many characters on a question's beginning is not all of it. */
const CUT = 119;

/** Titles of the columns, in the order of {@link RolloutRow}'s cells. */
export const COLUMNS = [
  ["step", "update"],
  ["question", "question"],
  ["sample", "#"],
  ["answer", "answered"],
  ["mode", "mode"],
  ["reward", "reward"],
  ["advantage", "advantage"],
  ["verdict", "verdict"],
  ["end", "ended by"],
  ["tokens", "tokens"],
  ["entropy", "entropy"],
] as const;

/** A rollout as a row of cells. The question is named once a group, so that a group is seen as one. */
export function RolloutRow({ line, isFirst, address }: {
  line: RolloutLine;
  /** Of those of its group that stand together. */
  isFirst: boolean;
  address: string;
}) {
  const { step, head, boxed, group, sample, mode, reward, advantage, equal, refilled, correct, rule, end } =
    line;
  return (
    <>
      <Cell name="step" number>{step === null ? "" : isFirst ? grouped(step) : ""}</Cell>
      <Cell name="question">
        {isFirst && <ShownText text={oneLine(head) + (head.length >= CUT ? "…" : "")} limit={130} />}
        {isFirst && equal && (
          <span class="badge" title="All of the group got the same: nothing was learned">equal</span>
        )}
        {isFirst && refilled && (
          <span class="badge note" title="Drawn since another group had no difference">refilled</span>
        )}
      </Cell>
      <Cell name="sample" number>{group === "" ? "" : sample + 1}</Cell>
      <Cell name="answer">
        <a class="row-link" href={address} tabIndex={-1}>
          {boxed === null ? "nothing" : <ShownText text={oneLine(boxed)} limit={60} />}
        </a>
      </Cell>
      <Cell name="mode">{mode}</Cell>
      <Cell name="reward" number>
        <RewardBar reward={reward} correct={correct} />
        {shortNumber(reward)}
      </Cell>
      <Cell name="advantage" number>
        {advantage !== null && (
          <span class={advantage > 0 ? "up" : advantage < 0 ? "down" : ""}>{signed(advantage)}</span>
        )}
      </Cell>
      <Cell name="verdict">
        <span class={correct ? "right" : "wrong"}>
          {correct ? "✓" : "✕"} <span class="verdict-word">{correct ? "right" : "wrong"}</span>
        </span>
        <span class="rule">{rule ?? ""}</span>
      </Cell>
      <Cell name="end">{ENDS[end] ?? end}</Cell>
      <Cell name="tokens" number>{line.tokens === 0 ? "–" : grouped(line.tokens)}</Cell>
      <Cell name="entropy" number>{fixed(line.entropy, 3)}</Cell>
    </>
  );
}

const Cell = ({ name, number, children }: {
  name: string;
  number?: boolean;
  children: preact.ComponentChildren;
}) => <div role="gridcell" class={`cell cell-${name}${number ? " number" : ""}`}>{children}</div>;

const oneLine = (text: string) => text.replaceAll(/\s+/g, " ");

/** Of 100; other rewards may be more or less. */
const RewardBar = ({ reward, correct }: { reward: number; correct: boolean }) => (
  <span class={`reward-bar ${correct ? "right" : "wrong"}`} aria-hidden="true">
    <span style={{ width: `${Math.max(0, Math.min(100, reward))}%` }} />
  </span>
);
