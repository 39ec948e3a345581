import type { Step } from "../data/view_data.ts";
import { entropyStyle } from "./entropy_legend.tsx";
import { TokenText } from "./shown_text.tsx";
import { spokenParts, stackParts } from "./step_parts.ts";
import { plainToken } from "./visible_text.ts";

/** A share from which on a part has room for its token's text, and one from which on it is the step's own, which stands above. */
const [READABLE, CERTAIN] = [0.16, 0.95];

/** A step as a stack: its token (or shadow) above, below its parts as high as their shares. */
export function StepStack({ step, id, name }: { step: Step; id: string; name: string }) {
  const parts = stackParts(step);
  return (
    <div
      id={id}
      class="step"
      role="option"
      aria-selected="false"
      aria-label={`${name}: ${plainToken(step.text)}${
        parts.length > 0 ? `; ${spokenParts(parts, plainToken)}` : ""
      }`}
      style={entropyStyle(step.entropy)}
    >
      <span class="step-token">
        <TokenText text={step.text} bare />
      </span>
      <span class="stack">
        {parts.map(({ token, share }, i) => (
          <span key={i} class={token ? "share" : "share left-out"} style={{ flexGrow: share }}>
            {token && share >= READABLE && share < CERTAIN && <TokenText text={token.text} limit={12} bare />}
          </span>
        ))}
      </span>
    </div>
  );
}
