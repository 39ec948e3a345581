import type { Axis, Curve, Figure } from "./figure.ts";
import { colourOf, dashOf, INKS } from "./palette.ts";
import { escaped } from "./svg_text.ts";
import { ticksOf, tickText } from "./ticks.ts";

type Theme = "light" | "dark";

/** Where values lie along an axis. */
interface Scale {
  low: number;
  high: number;
  at: (value: number) => number;
}

/** One figure, its axes beginning at 0, 0: title above, ticks and names of the axes beside and below. */
export function drawPanel(figure: Figure, nth: number, width: number, height: number, theme: Theme): string {
  const ink = INKS[theme];
  const x = scaleOf(figure.curves.flatMap(({ x }) => x), figure.x, 0, width, 0);
  const y = scaleOf(figure.curves.flatMap(valuesOf), figure.y, height, 0, 0.05);
  const clip = `clip-${nth}`;
  return [
    `<clipPath id="${clip}"><rect x="-4" y="-4" width="${width + 8}" height="${height + 8}"/></clipPath>`,
    titleOf(figure, ink.text, ink.soft),
    ...(figure.y.ticks ?? ticksOf(y.low, y.high, height / 36, figure.y.isLog)).map((tick) =>
      `<path d="M0 ${round(y.at(tick))}H${width}" stroke="${ink.grid}"/>` +
      `<text x="-7" y="${round(y.at(tick) + 4)}" text-anchor="end" fill="${ink.soft}">${
        tickText(tick)
      }</text>`
    ),
    ...(figure.x.ticks ?? ticksOf(x.low, x.high, width / 52, figure.x.isLog)).map((tick) =>
      `<path d="M${round(x.at(tick))} ${height}v4" stroke="${ink.line}"/>` +
      `<text x="${round(x.at(tick))}" y="${height + 17}" text-anchor="middle" fill="${ink.soft}">${
        tickText(tick)
      }</text>`
    ),
    `<path d="M0 0V${height}H${width}" fill="none" stroke="${ink.line}"/>`,
    `<text x="${width / 2}" y="${height + 33}" text-anchor="middle" fill="${ink.soft}">${
      escaped(figure.x.label)
    }</text>`,
    `<g clip-path="url(#${clip})">`,
    ...figure.curves.map((curve) => underCurve(curve, x, y, theme)),
    ...figure.curves.map((curve) => overCurve(curve, x, y, theme)),
    "</g>",
  ].join("");
}

function titleOf({ title, y }: Figure, text: string, soft: string): string {
  const unit = y.label
    ? `<tspan dx="6" font-weight="400" font-size="11" fill="${soft}">${escaped(y.label)}</tspan>`
    : "";
  return `<text x="0" y="-14" font-weight="600" font-size="12" fill="${text}">${
    escaped(title)
  }${unit}</text>`;
}

function valuesOf({ y, low, high, raw }: Curve): number[] {
  return [y, low ?? [], high ?? [], raw ?? []].flatMap((each) =>
    each.filter((value) => value !== null)
  ) as number[];
}

/** Fits values between two ends, with a share of room on either side that the axis does not set. */
function scaleOf(values: readonly number[], axis: Axis, from: number, to: number, room: number): Scale {
  const seen = values.filter((value) => Number.isFinite(value) && (!axis.isLog || value > 0));
  const [least, most] = [
    Math.min(...seen.length > 0 ? seen : [axis.isLog ? 1 : 0]),
    Math.max(...seen.length > 0 ? seen : [1]),
  ];
  const along = axis.isLog ? Math.log : (value: number) => value;
  const back = axis.isLog ? Math.exp : (value: number) => value;
  const spare = room * (along(most) - along(least) || Math.abs(along(most)) || 1);
  const low = axis.from !== undefined && axis.from <= least ? axis.from : back(along(least) - spare);
  let high = axis.to !== undefined && axis.to >= most ? axis.to : back(along(most) + spare);
  if (!(high > low)) high = axis.isLog ? low * 2 : low + 1;
  const [begin, span] = [along(low), along(high) - along(low)];
  return { low, high, at: (value) => from + (along(value) - begin) / span * (to - from) };
}

/** Bands, and what was before smoothing. */
function underCurve(
  { x: xs, low, high, raw, colour, dash, look }: Curve,
  x: Scale,
  y: Scale,
  theme: Theme,
): string {
  const stroke = colourOf(theme, colour);
  const parts: string[] = [];
  if (low && high && look === "line") {
    const there = xs.map((_, i) => i).filter((i) =>
      isSeen(low[i], y) && isSeen(high[i], y) && isSeen(xs[i], x)
    );
    const upper = there.map((i) => point(x.at(xs[i]), y.at(high[i]!)));
    const lower = there.map((i) => point(x.at(xs[i]), y.at(low[i]!))).reverse();
    if (there.length > 1) {
      parts.push(`<path d="M${[...upper, ...lower].join("L")}Z" fill="${stroke}" fill-opacity="0.18"/>`);
    }
  }
  if (raw) {
    parts.push(
      `<path d="${
        pathOf(xs, raw, x, y)
      }" fill="none" stroke="${stroke}" stroke-width="0.8" stroke-opacity="0.4"${dashes(colour, dash)}/>`,
    );
  }
  return parts.join("");
}

function overCurve(curve: Curve, x: Scale, y: Scale, theme: Theme): string {
  const { x: xs, y: ys, low, high, colour, dash, look } = curve;
  const stroke = colourOf(theme, colour);
  const line = look === "points"
    ? ""
    : `<path d="${
      pathOf(xs, ys, x, y)
    }" fill="none" stroke="${stroke}" stroke-width="1.8" stroke-linejoin="round"${dashes(colour, dash)}/>`;
  if (look === "line") return line;
  const marks = xs.map((at, i) => {
    if (!isSeen(ys[i], y) || !isSeen(at, x)) return "";
    const bar = low && high && isSeen(low[i], y) && isSeen(high[i], y)
      ? `<path d="M${point(x.at(at), y.at(low[i]!))}V${round(y.at(high[i]!))}" stroke="${stroke}"/>`
      : "";
    return `${bar}<circle cx="${round(x.at(at))}" cy="${round(y.at(ys[i]!))}" r="2.8" fill="${stroke}"/>`;
  });
  return line + marks.join("");
}

/** Lines between neighbours that are both there. */
function pathOf(xs: readonly number[], ys: readonly (number | null)[], x: Scale, y: Scale): string {
  let isDown = false;
  return xs.map((at, i) => {
    if (!isSeen(ys[i], y) || !isSeen(at, x)) return isDown = false, "";
    const move = isDown ? "L" : "M";
    isDown = true;
    return move + point(x.at(at), y.at(ys[i]!));
  }).join("");
}

/** Whether a value is there, and has a place on its axis: not 0 on one of logarithms. */
function isSeen(value: number | null | undefined, scale: Scale): boolean {
  return value !== null && value !== undefined && Number.isFinite(scale.at(value));
}

function dashes(colour: number, dash: number): string {
  const strokes = dashOf(colour, dash).join(" ");
  return strokes ? ` stroke-dasharray="${strokes}"` : "";
}

const round = (value: number): string => String(Math.round(value * 10) / 10);
const point = (x: number, y: number): string => `${round(x)} ${round(y)}`;
