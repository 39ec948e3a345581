import type { MeasuredChoices } from "../data/view_data.ts";
import { meanOf } from "../figures/measured.ts";
import { fixed } from "../parts/format.ts";
import { Scroll } from "../parts/scroll.tsx";

/** Tasks of choices: how likely the right one is, and how often it is the likeliest; of each line before training and at its end. */
export function ChoicesTable({ choices }: { choices: readonly MeasuredChoices[] }) {
  if (choices.length === 0) return null;
  const rows = [
    ...Map.groupBy(choices, ({ task, line, step }) => JSON.stringify([task, line, step])).values(),
  ];
  const isEnd = ([{ task, line, step }]: MeasuredChoices[]) =>
    !step || choices.every((one) => one.task !== task || one.line !== line || (one.step ?? 0) <= step);
  return (
    <section class="view">
      <h2>Choices: likelihood of the right one</h2>
      <Scroll label="Choices" class="modes">
        <table>
          <thead>
            <tr>
              <th scope="col">task</th>
              <th scope="col">line</th>
              <th scope="col" class="number">updates</th>
              <th scope="col" class="number">runs</th>
              <th scope="col" class="number">NLL by token</th>
              <th scope="col" class="number">accuracy</th>
            </tr>
          </thead>
          <tbody>
            {rows.filter(isEnd).map((own) => {
              const [{ task, line, step }] = own;
              const [nll, accuracy] = [
                meanOf(own.map((one) => one.nll)),
                meanOf(own.map((one) => one.accuracy)),
              ];
              return (
                <tr key={`${task} ${line} ${step}`}>
                  <td>{task}</td>
                  <td>{line}</td>
                  <td class="number">{step ?? "–"}</td>
                  <td class="number">{own.length}</td>
                  <td class="number">
                    {fixed(nll?.value, 4)} <span class="soft">± {fixed(nll?.error, 4)}</span>
                  </td>
                  <td class="number">
                    {fixed(accuracy?.value, 3)} <span class="soft">± {fixed(accuracy?.error, 3)}</span>
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </Scroll>
      <p class="soft note">
        ± standard deviation over runs, or of a single one the standard error over questions.
      </p>
    </section>
  );
}
