/** A text as one word of a shell's command line, in quotes where it needs them: what people are told to type may hold blanks. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
