/** One number that a part found. */
export interface Figure {
  what: string;
  value: number;
  unit: string;
  /** What it should be near, and who says so. */
  near?: string;
}

/** A part of the first hour: a program of its own, so that one that hangs or loses the device harms no other. */
export interface Part {
  name: string;
  /**
   * What is kept for it of the hour, whatever those before it do; it may take longer where they took less. Then it is killed, and what it had
   * said counts.
   */
  seconds: number;
  /** The program and its arguments. */
  command(tiny: boolean): string[];
  /** Set in its environment besides; what it may leave behind goes into the hour's scratch folder. */
  env?(tiny: boolean, scratch: string): Record<string, string>;
  /** Its figures, from what it wrote to stdout: also from the half of it, where its time was up. */
  read(stdout: string): Figure[];
  /** What makes figures wrong rather than slow. */
  fault?(figures: readonly Figure[]): string | undefined;
}

/** How a part ended. */
export interface PartResult {
  name: string;
  state: "ok" | "failed" | "out of time" | "left out";
  seconds: number;
  figures: Figure[];
  /** Why it is not `ok`, in a line. */
  reason?: string;
  /** The end of what it said on stderr. */
  words?: string;
  /** Name of the device, where the part told it. */
  adapter?: string;
}

/** The line of JSON that a program ended with. */
export function lastJson<T>(stdout: string): T {
  const line = stdout.trimEnd().split("\n").at(-1);
  if (!line?.startsWith("{")) throw new Error("its last line is no JSON");
  return JSON.parse(line);
}

/** The value of a figure by its name. */
export const valueOf = (figures: readonly Figure[], what: string): number | undefined =>
  figures.find((figure) => figure.what === what)?.value;

/** The name of the device in what a program wrote as JSON, under `adapter` or, as commands have it, `device`; undefined where there is none. */
export function adapterIn(stdout: string): string | undefined {
  const line = stdout.trimEnd().split("\n").at(-1)!;
  try {
    const { adapter, device } = JSON.parse(line.startsWith("{") ? line : stdout);
    const told = adapter ?? device;
    return typeof told === "string" ? told : told?.name;
  } catch {
    return undefined;
  }
}
