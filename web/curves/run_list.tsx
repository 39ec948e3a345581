import { useTheme } from "../app/theme.ts";
import { href } from "../app/route.ts";
import type { Place } from "../data/view_data.ts";
import type { Drawn } from "../figures/curve_figures.ts";
import { colourOf, dashOf } from "../figures/palette.ts";
import { Stroke } from "./hover.tsx";

/** The legend of all charts: what each stroke is, and a box to hide it. */
export function RunList({ drawn, places, hidden, onHide }: {
  drawn: readonly Drawn[];
  places: readonly Place[];
  hidden: readonly string[];
  onHide: (hidden: string[]) => void;
}) {
  const theme = useTheme();
  const toggle = (name: string, isShown: boolean) =>
    onHide(isShown ? hidden.filter((each) => each !== name) : [...hidden, name]);
  const only = (name: string) => onHide(drawn.map((each) => each.name).filter((each) => each !== name));
  return (
    <aside class="run-list" aria-label="Curves">
      <header class="toolbar">
        <h2>{drawn.length === 1 ? "1 curve" : `${drawn.length} curves`}</h2>
        {drawn.length > 1 && (
          <button
            type="button"
            class="button bare push"
            disabled={hidden.length === 0}
            onClick={() => onHide([])}
          >
            show all
          </button>
        )}
      </header>
      <ul>
        {drawn.map(({ name, runs, colour, dash }) => {
          const place = runs.length === 1
            ? places.find((each) => each.name === runs[0].name || each.id === runs[0].name)
            : undefined;
          return (
            <li key={name}>
              <label>
                <input
                  type="checkbox"
                  checked={!hidden.includes(name)}
                  onChange={(event) => toggle(name, event.currentTarget.checked)}
                />
                <Stroke colour={colourOf(theme, colour)} dash={dashOf(colour, dash)} />
                <span class="curve-name" title={name}>{name}</span>
              </label>
              {runs.length > 1 && <span class="soft">{runs.length} seeds</span>}
              {place && places.length > 1 && (
                <a href={href("run", [place.id, "curves"])} aria-label={`Open ${name}`}>↗</a>
              )}
              {drawn.length > 1 && (
                <button
                  type="button"
                  class="button bare only"
                  onClick={() => only(name)}
                  aria-label={`Only ${name}`}
                >
                  only
                </button>
              )}
            </li>
          );
        })}
      </ul>
    </aside>
  );
}
