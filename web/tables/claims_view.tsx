import { useShown } from "../app/source_context.ts";
import { useAnswer } from "../app/use_answer.ts";
import type { ViewProps } from "../app/view.ts";
import type { Tables } from "../data/view_data.ts";
import { Empty, Waiting } from "../parts/empty.tsx";
import { fixed } from "../parts/format.ts";
import { Scroll } from "../parts/scroll.tsx";

type Verdicts = NonNullable<Tables["claims"]>;
type Part = Verdicts["hardFalls"];
type Verdict = Part["verdict"];

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
  const others = claims.lines.slice(CLAIMED).flatMap((
    { claims: { a, c, d, e } },
  ) => [...a, ...c, ...d, ...e]);
  return (
    <section class="view">
      <ol class="claims">
        {claims.claims.map(({ letter, claim, verdict, atEqual }) => (
          <li key={letter} class="box">
            <header class="toolbar">
              <h2>({letter}) {claim}</h2>
              <VerdictBadge verdict={verdict} />
              {atEqual && <span class="soft">at equal pass@1: {atEqual}</span>}
            </header>
            <PartsTable parts={partsOf(claims, letter)} />
          </li>
        ))}
      </ol>
      {others.length > 0 && (
        <section class="box">
          <h2>The other ways, by the same rules</h2>
          <PartsTable parts={others} />
        </section>
      )}
      {claims.thinkingTerm && (
        <section class="box">
          <h2>Control: training without the thinking's term</h2>
          <PartsTable parts={[claims.thinkingTerm]} />
        </section>
      )}
    </section>
  );
}

/** The paper's claims are about soft and fuzzy training, whose lines come first. */
const CLAIMED = 2;

function partsOf(
  { best, hardFalls, lines }: Verdicts,
  letter: Verdicts["claims"][number]["letter"],
): Part[] {
  if (letter === "b") return best;
  const own = lines.slice(0, CLAIMED).flatMap(({ claims }) => claims[letter]);
  return letter === "d" ? [hardFalls, ...own] : own;
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
    <Scroll label={`Parts: ${parts[0]?.what ?? "none"}`} class="modes">
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
              <td>{what}</td>
              <td class="number">
                {fixed(value, 4)}{" "}
                {standardError !== null && <span class="soft">± {fixed(standardError, 4)}</span>}
              </td>
              <td class="number">{bound}</td>
              <td class="number">{fixed(errors, 1)}</td>
              <td>
                <VerdictBadge verdict={verdict} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
