import { useTheme } from "../app/theme.ts";
import { colourOf } from "../figures/palette.ts";
import { duration, fixed } from "../parts/format.ts";
import { Scroll } from "../parts/scroll.tsx";
import { meanSeconds, type Phase } from "./phases.ts";

/** Mean seconds an update by phase, with their shares as one bar and in rows. */
export function PhaseTable({ phases }: { phases: readonly Phase[] }) {
  const theme = useTheme();
  const means = phases.map((phase) => ({ name: phase.name, mean: meanSeconds(phase) }));
  const whole = means.reduce((sum, { mean }) => sum + mean, 0);
  const share = (mean: number) => whole > 0 ? 100 * mean / whole : 0;
  return (
    <>
      <div class="phase-bar" aria-hidden="true">
        {means.map(({ name, mean }, i) => (
          <span
            key={name}
            style={{ width: `${share(mean)}%`, background: colourOf(theme, i) }}
            title={name}
          />
        ))}
      </div>
      <Scroll label="Seconds by phase">
        <table class="phase-table">
          <thead>
            <tr>
              <th scope="col">phase</th>
              <th scope="col" class="number">mean an update</th>
              <th scope="col" class="number">share</th>
            </tr>
          </thead>
          <tbody>
            {means.map(({ name, mean }, i) => (
              <tr key={name}>
                <th scope="row">
                  <span class="phase-mark" style={{ background: colourOf(theme, i) }} aria-hidden="true" />
                  {name}
                </th>
                <td class="number">{duration(mean)}</td>
                <td class="number">{fixed(share(mean), 1)} %</td>
              </tr>
            ))}
          </tbody>
          <tfoot>
            <tr>
              <th scope="row">whole update</th>
              <td class="number">{duration(whole)}</td>
              <td class="number">100.0 %</td>
            </tr>
          </tfoot>
        </table>
      </Scroll>
    </>
  );
}
