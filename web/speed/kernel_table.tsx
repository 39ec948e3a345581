import { useState } from "preact/hooks";
import type { Profile } from "../data/view_data.ts";
import { Choice } from "../parts/choice.tsx";
import { duration, fixed, grouped } from "../parts/format.ts";
import { Scroll } from "../parts/scroll.tsx";

/** Kernels shown until more are asked for: the others together are next to nothing. */
const SHOWN = 25;

/** Where the GPU's time went by kernel, slowest first, of all phases or of one. */
export function KernelTable({ profile }: { profile: Profile }) {
  const [phase, setPhase] = useState("");
  const [all, setAll] = useState(false);
  const kernels = profile.kernels.filter((kernel) => phase === "" || kernel.phase === phase)
    .toSorted((a, b) => b.nanoseconds - a.nanoseconds);
  const busy = kernels.reduce((sum, { nanoseconds }) => sum + nanoseconds, 0);
  const shown = all ? kernels : kernels.slice(0, SHOWN);
  return (
    <section aria-label="Kernels">
      <div class="toolbar">
        <h2>GPU time by kernel</h2>
        <Choice
          label="Phase"
          value={phase}
          of={[
            ["", "all phases"],
            ...profile.phases.map(({ phase, seconds }) => [phase, `${phase} ${duration(seconds)}`] as const),
          ]}
          onChoose={setPhase}
        />
      </div>
      <p class="soft">
        {duration(profile.seconds)} by the clock, in {fixed(100 * profile.idle, 0)}{" "}
        % of which the GPU had nothing to do; timing each kernel adds to it.
      </p>
      <Scroll label="GPU time by kernel">
        <table class="kernel-table">
          <thead>
            <tr>
              <th scope="col">kernel</th>
              <th scope="col">phase</th>
              <th scope="col" class="number">dispatches</th>
              <th scope="col" class="number">time</th>
              <th scope="col" class="number">each</th>
              <th scope="col" class="number">share</th>
              <th scope="col">
                <span class="hidden-text">share as a bar</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.map(({ phase, label, nanoseconds, dispatches }) => (
              <tr key={`${phase} ${label}`}>
                <th scope="row" class="mono">{label}</th>
                <td>{phase}</td>
                <td class="number">{grouped(dispatches)}</td>
                <td class="number">{fixed(nanoseconds / 1e6, 1)} ms</td>
                <td class="number">{fixed(nanoseconds / dispatches / 1e3, 1)} µs</td>
                <td class="number">{fixed(100 * nanoseconds / busy, 1)} %</td>
                <td class="bar-cell">
                  <span class="bar" style={{ width: `${100 * nanoseconds / busy}%` }} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      {!all && kernels.length > SHOWN && (
        <button type="button" class="button" onClick={() => setAll(true)}>
          {kernels.length - SHOWN} more kernels
        </button>
      )}
    </section>
  );
}
