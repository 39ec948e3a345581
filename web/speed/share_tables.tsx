import type { Columns } from "../data/view_data.ts";
import { bytes, duration, fixed, number } from "../parts/format.ts";
import { Scroll } from "../parts/scroll.tsx";
import { type Share, sharesOf } from "./shares.ts";

type Column = readonly [name: string, cell: (share: Share) => string];

const seconds = (field: string) => ({ means }: Share) => duration(means[field] ?? 0);
const size = (field: string) => ({ means }: Share) => bytes(means[field] ?? 0);
const count = (field: string) => ({ means }: Share) => number(means[field]);

const rate = (seconds: string) => ({ means }: Share) =>
  means[seconds] > 0 && means.rollouts !== undefined ? fixed(means.rollouts / means[seconds], 1) : "–";

const WORKERS: readonly Column[] = [
  ["updates", ({ updates }) => `${updates}`],
  ["rollouts", count("rollouts")],
  ["a second", rate("seconds")],
  ["at work", seconds("seconds")],
  ["waited", seconds("waited")],
  ["sent", size("bytes")],
  ["fetched", size("fetched")],
  ["refused", count("refused")],
  ["failed", count("failed")],
];

const LEARNERS: readonly Column[] = [
  ["rollouts", count("rollouts")],
  ["a second", rate("rollout")],
  ["generated for", seconds("rollout")],
  ["waited for others", seconds("waited")],
  ["summed", seconds("summed")],
  ["sent", size("sent_bytes")],
];

/** What each worker and each learner did, of runs that had some. */
export function ShareTables({ columns }: { columns: Columns }) {
  return (
    <>
      <ShareTable title="Workers" who="worker" shares={sharesOf(columns, "workers")} columns={WORKERS} />
      <ShareTable title="Learners" who="learner" shares={sharesOf(columns, "learners")} columns={LEARNERS} />
    </>
  );
}

function ShareTable(
  { title, who, shares, columns }: {
    title: string;
    who: string;
    shares: readonly Share[];
    columns: readonly Column[];
  },
) {
  if (shares.length === 0) return null;
  return (
    <section aria-label={title}>
      <h2>{title}</h2>
      <p class="soft">Mean of the updates in which it took part.</p>
      <Scroll label={title}>
        <table>
          <thead>
            <tr>
              <th scope="col">{who}</th>
              {columns.map(([name]) => <th key={name} scope="col" class="number">{name}</th>)}
            </tr>
          </thead>
          <tbody>
            {shares.map((share) => (
              <tr key={share.name}>
                <th scope="row">{share.name}</th>
                {columns.map(([name, cell]) => <td key={name} class="number">{cell(share)}</td>)}
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </section>
  );
}
