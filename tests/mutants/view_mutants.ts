import { type Mutant, mutant } from "./mutant.ts";

/** Faults of the page's index. */
export const VIEW_MUTANTS: readonly Mutant[] = [
  mutant(
    "cli/view/index/line_reader.ts",
    "a line that is too long is taken from its middle on",
    "if (isTooLong) tooLong();",
    "if (isTooLong && start < 0) tooLong();",
    ["cli/view/file_index_test.ts"],
  ),
  mutant(
    "cli/view/index/line_reader.ts",
    "the beginning of a line whose end comes later is lost",
    "[start, held] = [start + at, end - at];",
    "[start, held] = [start + end, 0];",
    ["cli/view/file_index_test.ts"],
  ),
  mutant(
    "cli/view/index/block_store.ts",
    "the index of a file that was written over is used",
    "last.tail !== tailOf(source, last.end)",
    "last.tail !== last.tail",
    ["cli/view/file_index_test.ts"],
  ),
  mutant(
    "cli/view/index/block_store.ts",
    "a block that was not written to its end counts",
    "if (!isHeader(header) || found.end + header.bytes > size) break;",
    "if (!isHeader(header)) break;",
    ["cli/view/file_index_test.ts"],
  ),
  mutant(
    "cli/view/index/scan_record.ts",
    "what follows a record on its line is no fault",
    "if (bytes[at] === CLOSE_OBJECT) return blanks(bytes, at + 1, end) === end;\n    if",
    "if (bytes[at] === CLOSE_OBJECT) return true;\n    if",
    ["cli/view/scan_record_test.ts"],
  ),
];
