import { useShown } from "../app/source_context.ts";
import { useAnswer } from "../app/use_answer.ts";
import type { ViewProps } from "../app/view.ts";
import { Empty, Waiting } from "../parts/empty.tsx";
import { fixed } from "../parts/format.ts";
import { Scroll } from "../parts/scroll.tsx";
import { type ClaimSection, claimSections, type Part, type Verdict } from "./claim_sections.ts";

/** The verdicts of a sweep on the paper's claims, with the quantities that decide about them. */
export function ClaimsView({ route }: ViewProps) {
  const { source } = useShown();
  const id = route.path[0];
  const answer = useAnswer(source, [id], id, () => source.tables(id), 15_000);
  if (!answer.value) return <Waiting answer={answer} what="the verdicts" />;
  const { claims } = answer.value;
  if (!claims) {
    return (
      <Empty title="No verdicts here">
        <code>softcot sweep claims</code> judges the paper's claims once all of its runs have ended.
      </Empty>
    );
  }
  return (
    <section class="view">
      <p class="soft note">
        Each quantity is said to be above a bound. It is told by three standard errors: holds from three above
        the bound, does not hold from three below, cannot be told in between. A claim holds if all of its
        quantities do; one of soft or fuzzy training, if those of either do. ± is a standard error over seeds
        and questions.
      </p>
      <ol class="claims">
        {claimSections(claims).map((section) => <Section key={section.title} section={section} />)}
      </ol>
    </section>
  );
}

function Section({ section: { title, verdict, parts, atEqual } }: { section: ClaimSection }) {
  return (
    <li class="box">
      <header class="toolbar">
        <h2>{title}</h2>
        {verdict && <VerdictBadge verdict={verdict} />}
      </header>
      <PartsTable parts={parts} />
      {atEqual && (
        <>
          <header class="toolbar at-equal">
            <h3>At equal pass@1: beside hard training stopped early</h3>
            {atEqual.verdict && <VerdictBadge verdict={atEqual.verdict} />}
          </header>
          <PartsTable parts={atEqual.parts} />
          {atEqual.gaps && <p class="soft note">What is left of the difference in pass@1: {atEqual.gaps}.</p>}
        </>
      )}
    </li>
  );
}

const LOOKS: Record<Verdict, string> = { holds: "good", "does not hold": "bad", "cannot be told": "warn" };
const SIGNS: Record<Verdict, string> = { holds: "✓", "does not hold": "✕", "cannot be told": "?" };

function VerdictBadge({ verdict }: { verdict: Verdict }) {
  return (
    <span class={`badge ${LOOKS[verdict]}`}>
      <span aria-hidden="true">{SIGNS[verdict]}</span>
      {verdict}
    </span>
  );
}

function PartsTable({ parts }: { parts: readonly Part[] }) {
  return (
    <Scroll label={`Parts: ${parts[0]?.what ?? "none"}`} class="modes parts">
      <table>
        <thead>
          <tr>
            <th scope="col">quantity</th>
            <th scope="col" class="number">value</th>
            <th scope="col" class="number">to be above</th>
            <th scope="col" class="number" title="Standard errors above the bound; three decide">
              errors above
            </th>
            <th scope="col">verdict</th>
          </tr>
        </thead>
        <tbody>
          {parts.map(({ what, value, standardError, bound, errors, verdict }) => (
            <tr key={what}>
              <td class="what">{what}</td>
              <td class="number">
                {fixed(value, 4)}{" "}
                {standardError !== null && <span class="soft">± {fixed(standardError, 4)}</span>}
              </td>
              <td class="number bound">{bound}</td>
              <td class="number errors">
                {errors === null && standardError === 0 ? "no scatter" : fixed(errors, 1)}
              </td>
              <td class="verdict">
                <VerdictBadge verdict={verdict} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
