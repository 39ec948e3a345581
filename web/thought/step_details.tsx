import type { PlacedStep } from "./placed_steps.ts";
import { probability, stackParts } from "./step_parts.ts";
import { TokenText } from "./shown_text.tsx";

/** All that is kept of one step: its tokens by weight, and its numbers. */
export function StepDetails(
  { placed: { step, part, number }, mixed }: { placed: PlacedStep; mixed: boolean },
) {
  const parts = stackParts(step);
  const hasOwn = parts.some(({ token }) => token && token.probability !== null);
  return (
    <section class="step-details" aria-label="The chosen step" aria-live="polite">
      <h3>
        {part === "answer" ? "Answer" : "Thinking"}, step {number}: <TokenText text={step.text} />
      </h3>
      <dl class="step-numbers">
        <Numbered
          name={mixed ? "p of the shadow" : "p of the token"}
          value={step.logp === null ? null : probability(step.logp)}
        />
        <Numbered name="ln p" value={step.logp} />
        <Numbered name="entropy, nats" value={step.entropy} />
        {mixed && <Numbered name="noise / expected" value={step.noise} />}
        <Numbered
          name={mixed ? "surprise a dimension" : "surprise, nats"}
          value={step.surprise}
          says={mixed
            ? "-ln p of the noise that was drawn, by dimension; 1.419 is expected"
            : "-ln p of what was drawn"}
        />
      </dl>
      <table class="step-tokens">
        <thead>
          <tr>
            <th scope="col">token</th>
            <th scope="col" class="number">id</th>
            <th scope="col" class="number">{mixed ? "weight" : "p"}</th>
            {hasOwn && <th scope="col" class="number">p</th>}
            <th scope="col">
              <span class="hidden-text">as a bar</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {parts.map(({ token, share }, i) => (
            <tr key={i}>
              <td>{token ? <TokenText text={token.text} /> : "all others"}</td>
              <td class="number">{token && token.token >= 0 ? token.token : ""}</td>
              <td class="number">{share.toFixed(4)}</td>
              {hasOwn && <td class="number">{token?.probability?.toFixed(4) ?? "–"}</td>}
              <td class="bar-cell">
                <span class="bar" style={{ width: `${100 * share}%` }} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {parts.length === 0 && <p class="note">Its probabilities were not kept.</p>}
    </section>
  );
}

const Numbered = ({ name, value, says }: { name: string; value: number | null; says?: string }) => (
  <div title={says}>
    <dt>{name}</dt>
    <dd>{value === null ? "–" : value.toPrecision(4)}</dd>
  </div>
);
