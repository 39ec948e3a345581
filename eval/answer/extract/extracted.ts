/** What was found in a reply, and where. */

/** An answer as it stands in a reply. `plain` says that it stood outside of maths, where `1,5` is a decimal and `5 m` five metres. */
export interface Extracted {
  text: string;
  plain: boolean;
  /** the same value once more, rounded: a second box behind the exact one */
  rounded?: string;
}

/** What was found, and the index at which it was. */
export interface Place {
  found: Extracted;
  at: number;
}
