/** Packed rows of groups (a prompt and its continuations) as the attention kernels want them. */
import { packedLayout } from "../reference/attention.ts";

/** A prompt's rows and those of each of its continuations. */
export interface Group {
  prompt: number;
  continuations: number[];
}

/** The reference's layout of the groups, and the kernels' rowMeta [rows, 4] and tiles [tiles, 4]. */
export function packGroups(groups: Group[], subgroupSize: number) {
  const layout = packedLayout(groups);
  const rows = layout.position.length;
  const rowMeta = Array.from(
    { length: rows },
    (_, r) => [layout.prefixStart[r], layout.prefixLen[r], layout.ownStart[r], layout.position[r]],
  ).flat();
  const [doubles, singles]: number[][] = [[], []];
  const cut = (start: number, length: number, end: number) => {
    for (let at = 0; at < length; at += 2 * subgroupSize) {
      const count = Math.min(2 * subgroupSize, length - at);
      (count > subgroupSize ? doubles : singles).push(start + at, count, end, 0);
    }
  };
  let row = 0;
  for (const { prompt, continuations } of groups) {
    const end = row + prompt + continuations.reduce((sum, n) => sum + n, 0);
    cut(row, prompt, end);
    row += prompt;
    for (const length of continuations) {
      cut(row, length, row + length);
      row += length;
    }
  }
  return { layout, rows, rowMeta, tiles: [...doubles, ...singles], doubles: doubles.length / 4 };
}
