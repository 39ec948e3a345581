import type { State } from "../data/view_data.ts";

const LOOKS: Record<State, string> = { running: "note", ended: "good", stopped: "warn", failed: "bad" };
const SIGNS: Record<State, string> = { running: "▶", ended: "✓", stopped: "■", failed: "✕" };

/** What a run, a sweep or an evaluation is about: a word and a sign, never a colour alone. */
export function StateBadge({ state, failure }: { state: State; failure?: string | null }) {
  return (
    <span class={`badge state ${LOOKS[state]}`} title={failure ?? undefined}>
      <span aria-hidden="true">{SIGNS[state]}</span>
      {state}
    </span>
  );
}
