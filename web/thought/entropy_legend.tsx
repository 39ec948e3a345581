import { ENTROPY_TOP, entropyShare } from "./step_parts.ts";

const MARKS = [0, 0.1, 0.5, 1, ENTROPY_TOP];

/** What the colours of steps say. */
export function EntropyLegend() {
  return (
    <p class="entropy-legend">
      <span>undecided, in nats:</span>
      {MARKS.map((entropy) => (
        <span key={entropy} class="entropy-mark" style={entropyStyle(entropy)}>
          {entropy === ENTROPY_TOP ? `${entropy}+` : entropy}
        </span>
      ))}
      <span class="entropy-explained">0: one token is certain; 0.7: two are alike; 1.4: four</span>
    </p>
  );
}

/** The colour of a step: its share of the way from the scale's plain end to its strong end. */
export const entropyStyle = (entropy: number | null): Record<string, string> => ({
  "--undecided": `${Math.round(100 * entropyShare(entropy))}%`,
});
