import type { MeasuredMode, Tables } from "../data/view_data.ts";
import { fixed } from "../parts/format.ts";
import {
  type Column,
  columnsOf,
  endsOf,
  type Mean,
  meanOf,
  measuredIn,
  mostSamples,
  passMean,
} from "../figures/measured.ts";
import { Scroll } from "../parts/scroll.tsx";

/** Modes down, models across: accuracy with its error, what it rose by, and pass@k where there are samples. */
export function ModesTable(
  { tables, task, modes }: { tables: Tables; task: string; modes: readonly string[] },
) {
  const columns = endsOf(columnsOf(tables, task));
  const isOneLine = columns.length > 1 && columns[0].when === "before" &&
    columns.every(({ line }) => line === columns.at(-1)!.line);
  const own = (mode: string, column: Column) => measuredIn(tables, task, mode, column);
  const isSpread = columns.some((column) => modes.some((mode) => own(mode, column).length > 1));
  const hasSamples = isOneLine && modes.some((mode) => mostSamples(tables, task, mode) > 1);
  const isPaired = isOneLine &&
    modes.every((mode) => own(mode, columns.at(-1)!).every(({ rise }) => rise !== null));
  const isPartial = tables.measured.some(({ partial }) => partial);
  return (
    <section class="view">
      <h2>{task}, by mode</h2>
      <Scroll label={`${task}, by mode`} class="modes">
        <table>
          <thead>
            <tr>
              <th scope="col">mode</th>
              {columns.map(({ name }) => <th key={name} scope="col" class="number">{name}</th>)}
              {isOneLine && <th scope="col" class="number">rise</th>}
              {hasSamples && <th scope="col" class="number">pass@k</th>}
              {isOneLine && <th scope="col" class="number">steps</th>}
              {isOneLine && <th scope="col" class="number">entropy</th>}
            </tr>
          </thead>
          <tbody>
            {modes.map((mode) => {
              const means = columns.map((column) =>
                meanOf(own(mode, column).map(({ accuracy }) => accuracy))
              );
              const best = Math.max(...means.map((mean) => mean?.value ?? -1));
              return (
                <tr key={mode}>
                  <th scope="row">{mode}</th>
                  {means.map((mean, i) => (
                    <td
                      key={columns[i].name}
                      class={mean?.value === best && !isOneLine ? "number best" : "number"}
                    >
                      <Value mean={mean} soFar={soFar(own(mode, columns[i]))} />
                    </td>
                  ))}
                  {isOneLine && (
                    <Rest
                      before={own(mode, columns[0])}
                      after={own(mode, columns.at(-1)!)}
                      k={hasSamples ? mostSamples(tables, task, mode) : null}
                    />
                  )}
                </tr>
              );
            })}
          </tbody>
        </table>
      </Scroll>
      <p class="soft note">
        Accuracy ±{" "}
        {isSpread ? "standard deviation over seeds, or of a single run the standard error" : "standard error"}
        {" "}
        over {questionsOf(tables, task)} questions.{isOneLine &&
          ` Rise, steps and entropy are of the last of them; the error of the rise is ${
            isPaired ? "paired by question." : "as if both had other questions, rather too large."
          }`}
        {!isOneLine && columns.length > 2 && " In bold the best of a row."}
        {isPartial && " Some are not complete yet: of the rollouts so far."}
      </p>
    </section>
  );
}

/** Questions that a value is of which is not complete yet; null where all are. */
const soFar = (measured: readonly MeasuredMode[]): number | null =>
  measured.some(({ partial }) => partial)
    ? measured.reduce((sum, { accuracy }) => sum + accuracy.questions, 0)
    : null;

function Value({ mean, soFar = null }: { mean: Mean | null; soFar?: number | null }) {
  if (!mean) return <>–</>;
  return (
    <>
      {fixed(mean.value, 3)}{" "}
      <span class="soft">
        ± {fixed(mean.error, 3)}
        {soFar !== null && ` of ${soFar} so far`}
      </span>
    </>
  );
}

/** What a single run shows besides. */
function Rest(
  { before, after, k }: { before: readonly MeasuredMode[]; after: readonly MeasuredMode[]; k: number | null },
) {
  const [first, last] = [before, after].map((own) => meanOf(own.map(({ accuracy }) => accuracy)));
  const paired = after.length === 1 ? after[0].rise : null;
  const rise = paired
    ? { value: paired.value, error: paired.standardError, runs: 1 }
    : first && last
    ? { value: last.value - first.value, error: Math.hypot(last.error, first.error), runs: 1 }
    : null;
  const pass = k !== null && k > 1 ? passMean(after, k) : null;
  return (
    <>
      <td class="number">
        <Value mean={rise} />
      </td>
      {k !== null && (
        <td class="number">
          {pass
            ? (
              <>
                <span class="soft">@{k}</span> <Value mean={pass} />
              </>
            )
            : "–"}
        </td>
      )}
      <td class="number">{fixed(after[0]?.thinkingLength, 1)}</td>
      <td class="number">{fixed(after[0]?.entropy, 3)}</td>
    </>
  );
}

function questionsOf({ measured }: Tables, task: string): string {
  const counts = [
    ...new Set(measured.filter((one) => one.task === task).map(({ accuracy }) => accuracy.questions)),
  ];
  return counts.sort((a, b) => a - b).join(" or ");
}
