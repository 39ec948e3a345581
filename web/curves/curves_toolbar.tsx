import type { withQuery } from "../app/route.ts";
import type { Along } from "../figures/curve_figures.ts";
import { PANELS, titleOf } from "../figures/metric_panels.ts";
import { Choice } from "../parts/choice.tsx";
import { number } from "../parts/format.ts";
import { type CurvesQuery, WINDOWS } from "./curves_query.ts";

const ALONGS: readonly [string, Along, string][] = [
  ["", "step", "updates"],
  ["tokens", "total.tokens", "tokens"],
  ["seconds", "total.seconds", "seconds"],
];

/** What the curves are drawn over and how, and which of them. */
export function CurvesToolbar({ query, hasSeeds, known, ask }: {
  query: CurvesQuery;
  hasSeeds: boolean;
  /** Metrics that there are. */
  known: readonly string[];
  /** Names of the figures that are shown. */
  panels: readonly string[];
  ask: (changes: Parameters<typeof withQuery>[1]) => void;
}) {
  const { along, window, band, isLogX, isLogY, zoom, panels } = query;
  const log = (x: boolean, y: boolean) => ask({ log: `${x ? "x" : ""}${y ? "y" : ""}` });
  const add = (key: string) => ask({ panels: [...panels ?? PANELS.map(({ name }) => name), key].join(",") });
  return (
    <div class="toolbar curves-tools" role="toolbar" aria-label="How curves are drawn">
      <Choice
        label="Over"
        value={along}
        of={ALONGS.map(([_, value, word]) => [value, word] as const)}
        onChoose={(value) => ask({ x: ALONGS.find(([_, each]) => each === value)![0], from: "", to: "" })}
      />
      <label class="field" title="The thin line is what was measured">
        mean of
        <input
          type="range"
          min="0"
          max={WINDOWS.length - 1}
          value={(WINDOWS as readonly number[]).indexOf(window)}
          aria-valuetext={window === 1 ? "as measured" : `mean of ${window} updates`}
          onInput={(event) => ask({ mean: WINDOWS[Number(event.currentTarget.value)] })}
        />
        <span class="number window">{window}</span>
      </label>
      {hasSeeds && (
        <label class="field">
          seeds
          <select value={band ?? "none"} onChange={(event) => ask({ band: event.currentTarget.value })}>
            <option value="sd">mean ± standard deviation</option>
            <option value="error">mean ± standard error</option>
            <option value="range">mean, least to most</option>
            <option value="none">each by itself</option>
          </select>
        </label>
      )}
      <label class="field">
        <input type="checkbox" checked={isLogX} onChange={() => log(!isLogX, isLogY)} /> log x
      </label>
      <label class="field">
        <input type="checkbox" checked={isLogY} onChange={() => log(isLogX, !isLogY)} /> log y
      </label>
      <label class="field">
        <span class="hidden-text">Add a metric</span>
        <select
          class="add"
          value=""
          onChange={(event) => event.currentTarget.value && add(event.currentTarget.value)}
        >
          <option value="">+ metric</option>
          {known.filter((key) => !["line", "step", "total.tokens", "total.seconds"].includes(key)).map((
            key,
          ) => <option key={key} value={key}>{titleOf(key) === key ? key : `${key}: ${titleOf(key)}`}
          </option>)}
        </select>
      </label>
      {panels && (
        <button type="button" class="button" onClick={() => ask({ panels: "" })}>
          default set
        </button>
      )}
      <button
        type="button"
        class="button zoomed push"
        disabled={!zoom}
        title="Show all (0)"
        onClick={() => ask({ from: "", to: "" })}
      >
        {zoom ? `${number(zoom[0], 4)} – ${number(zoom[1], 4)} ✕` : "drag to zoom"}
      </button>
    </div>
  );
}
