/** What own code gave, in a line for people, whatever it is: an object may lack what would make a text of it. */
export const inspectValue = (value: unknown): string =>
  Deno.inspect(value, { depth: 2, breakLength: Infinity, strAbbreviateSize: 200 });
