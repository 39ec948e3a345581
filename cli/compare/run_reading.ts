import { readPlainText } from "../../model/files/plain_file.ts";
import type { MetricsLine } from "../../rl/train.ts";
import { jsonLinesOf } from "./json_lines_of.ts";

/** How files of runs are read. */
export interface RunReading {
  /**
   * The text of a file.
   * @param most bytes that it may have
   */
  text(path: string, most?: number): string;
  /** A line an update, of metrics.jsonl. */
  lines(path: string): MetricsLine[];
}

/** Wherever they lie. */
export const ANYWHERE: RunReading = { text: readPlainText, lines: jsonLinesOf };
