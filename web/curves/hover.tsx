import type uPlot from "uplot";
import type { Theme } from "../app/theme.ts";
import type { Figure } from "../figures/figure.ts";
import { colourOf, dashOf } from "../figures/palette.ts";
import { number } from "../parts/format.ts";

/** What lies under a cursor. */
export interface Hovered {
  left: number;
  /** Width of the chart, so that the box goes to the side with room. */
  width: number;
  x: number;
  values: {
    curve: number;
    x: number;
    y: number;
    low?: number;
    high?: number;
    raw?: number;
    distance: number;
  }[];
}

/** Values further away than this many pixels are not under the cursor. */
const NEAR = 24;
const MOST = 10;

/** The value of each curve nearest to the cursor, those nearest to it first; null where there is none. */
export function hoverOf(u: uPlot, { curves }: Figure): Hovered | null {
  const { left = -1, top = -1 } = u.cursor;
  if (left < 0) return null;
  const x = u.posToVal(left, "x");
  const values = curves.flatMap((curve, i) => {
    const at = nearest(curve.x, x);
    const y = curve.y[at];
    if (at < 0 || y === null || y === undefined) return [];
    if (Math.abs(u.valToPos(curve.x[at], "x") - left) > NEAR) return [];
    const distance = Math.abs(u.valToPos(y, "y") - top);
    return [{
      curve: i,
      x: curve.x[at],
      y,
      low: curve.low?.[at] ?? undefined,
      high: curve.high?.[at] ?? undefined,
      raw: curve.raw?.[at] ?? undefined,
      distance,
    }];
  });
  if (values.length === 0) return null;
  values.sort((a, b) => a.distance - b.distance);
  return { left: left + u.over.offsetLeft, width: u.width, x: values[0].x, values };
}

/** The place of the value nearest to x in an ascending array; -1 of an empty one. */
function nearest(values: readonly number[], x: number): number {
  let [low, high] = [0, values.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < x) low = middle + 1;
    else high = middle;
  }
  return low > 0 && x - values[low - 1] < values[low] - x ? low - 1 : Math.min(low, values.length - 1);
}

/** The box with the values: the nearest curve first. */
export function Hover({ hover, figure, theme }: { hover: Hovered; figure: Figure; theme: Theme }) {
  const { left, width, x, values } = hover;
  const isRight = left > width / 2;
  const place = isRight ? { right: `${width - left + 14}px` } : { left: `${left + 14}px` };
  return (
    <div class="hover" style={place} role="status">
      <div class="soft">{figure.x.label} {number(x, 6)}</div>
      {values.slice(0, MOST).map(({ curve, y, low, high, raw }, i) => {
        const { name, colour, dash } = figure.curves[curve];
        return (
          <div key={curve} class={i === 0 ? "hovered first" : "hovered"}>
            <Stroke colour={colourOf(theme, colour)} dash={dashOf(colour, dash)} />
            <span class="hover-name">{name}</span>
            <span class="number">{number(y, 4)}</span>
            {raw !== undefined && <span class="number soft" title="As measured">({number(raw, 4)})</span>}
            {low !== undefined && high !== undefined && (
              <span class="number soft">{number(low)} – {number(high)}</span>
            )}
          </div>
        );
      })}
      {values.length > MOST && <div class="soft">and {values.length - MOST} more</div>}
    </div>
  );
}

/** A short piece of a curve, as legends show it. */
export function Stroke({ colour, dash }: { colour: string; dash: readonly number[] }) {
  return (
    <svg class="stroke" width="22" height="10" aria-hidden="true">
      <line
        x1="1"
        x2="21"
        y1="5"
        y2="5"
        stroke={colour}
        stroke-width="2.5"
        stroke-dasharray={dash.join(" ") || undefined}
      />
    </svg>
  );
}
