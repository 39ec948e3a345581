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
    <div id={id} class="step" role="option" aria-selected="false" style={entropyStyle(step.entropy)}>
      <span class="hidden-text">{name}:</span>
      <span class="step-token">
        <TokenText text={step.text} bare />
      </span>
      {parts.length > 0 && <span class="hidden-text">{spokenParts(parts, plainToken)}</span>}
      <span class="stack" aria-hidden="true">
        {parts.map(({ token, share }, i) => (
          <span key={i} class={token ? "share" : "share left-out"} style={{ flexGrow: share }}>
            {token && share >= READABLE && share < CERTAIN && <TokenText text={token.text} limit={12} bare />}
          </span>
        ))}
      </span>
    </div>
  );
}
