/** A share as people write it, to three digits. */
export const percent = (share: number): string => `${Number((100 * share).toPrecision(3))}%`;
