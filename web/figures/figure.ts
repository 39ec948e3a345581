/** A picture of curves, as data: the same is drawn by uPlot on the page, as SVG for papers, and written as CSV. */
export interface Figure {
  /** For names of files and keys: small letters, digits, dashes. */
  name: string;
  title: string;
  x: Axis;
  y: Axis;
  curves: Curve[];
}

/** What an axis measures. */
export interface Axis {
  label: string;
  isLog?: boolean;
  /** Ends that hold even where the data does not reach them; what is drawn never leaves out data but by zoom. */
  from?: number;
  to?: number;
  /** The values that have a tick; chosen by the range if left out. */
  ticks?: readonly number[];
}

/** One curve. Arrays are of one length; null where there is nothing to draw. */
export interface Curve {
  name: string;
  /** What legends call it, where several curves of a picture are of one thing. */
  of?: string;
  /** Place in the palette. */
  colour: number;
  /** Curves of one colour are told apart by it: 0 is a full line. */
  dash: number;
  x: readonly number[];
  y: readonly (number | null)[];
  /** The band around it. */
  low?: readonly (number | null)[];
  high?: readonly (number | null)[];
  /** The same before it was smoothed, drawn thin. */
  raw?: readonly (number | null)[];
  /** `points` are not joined: they stand apart, as validations do. `both` joins and marks them. */
  look: "line" | "points" | "both";
}
