/**
 * Colours of curves in their order, told apart by people who see no red, no green, or no blue (after Okabe and Ito), each at 3:1 at least on the
 * ground of its scheme.
 */
export const PALETTE = {
  light: ["#0b6fb8", "#c95400", "#00805c", "#a8488b", "#8a6d00", "#14181d", "#6b4fb3", "#5d6875"],
  dark: ["#56b4e9", "#ff9248", "#2fc79c", "#e58fc4", "#e6d24a", "#f2f4f7", "#b49cff", "#aab4c0"],
} as const;

/** Ground, text and lines of what is drawn, by scheme. */
export const INKS = {
  light: { ground: "#ffffff", text: "#1a1f26", soft: "#55606e", grid: "#e3e7ec", line: "#8a94a2" },
  dark: { ground: "#14171c", text: "#e6e9ee", soft: "#a3adba", grid: "#2a303a", line: "#6d7988" },
} as const;

/** Lengths of strokes and gaps; the first is a full line. */
export const DASHES: readonly (readonly number[])[] = [[], [6, 3], [2, 3], [9, 3, 2, 3], [14, 4], [
  5,
  2,
  1,
  2,
  1,
  2,
]];

/** The colour of a place in the palette, which begins again after the last. */
export function colourOf(theme: "light" | "dark", place: number): string {
  return PALETTE[theme][place % PALETTE[theme].length];
}

/** The strokes of a curve: those of its own, and others each time that the palette begins again. */
export function dashOf(place: number, dash: number): readonly number[] {
  return DASHES[(dash + Math.floor(place / PALETTE.light.length)) % DASHES.length];
}
