import type { MeasuredChoices } from "../data/view_data.ts";
import { fixed, withError } from "../parts/format.ts";

/** Tasks of choices: how likely the right one is, and how often it is the likeliest. */
export function ChoicesTable({ choices }: { choices: readonly MeasuredChoices[] }) {
  if (choices.length === 0) return null;
  return (
    <section class="view">
      <h2>Choices: likelihood of the right one</h2>
      <div class="scroll modes">
        <table>
          <thead>
            <tr>
              <th scope="col">task</th>
              <th scope="col">line</th>
              <th scope="col">run</th>
              <th scope="col" class="number">updates</th>
              <th scope="col" class="number">NLL by token</th>
              <th scope="col" class="number">accuracy</th>
            </tr>
          </thead>
          <tbody>
            {choices.map(({ task, line, of, step, nll, accuracy }) => (
              <tr key={`${task} ${of} ${step}`}>
                <td>{task}</td>
                <td>{line}</td>
                <td>{of.split("/").at(-1)}</td>
                <td class="number">{step ?? "–"}</td>
                <td class="number">{fixed(nll.value, 4)} ± {fixed(nll.standardError, 4)}</td>
                <td class="number">{withError(accuracy)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
