/**
 * Whether a page of `softcot sweep claims` is the one of docs/claims.md: every figure to the last digit, but for those of the clock, the commit,
 * and how lines and tables are laid out.
 *
 *     ./softcot deno run --allow-read docs/same_claims.ts sweeps/claims/claims.md
 *
 * @module
 */
const [page] = Deno.args;
if (page === undefined) {
  console.error("error: Cannot compare: a page is needed\nhint: same_claims.ts sweeps/claims/claims.md");
  Deno.exit(2);
}
const [committed, given] = [new URL("claims.md", import.meta.url), page].map((path) =>
  figuresOf(Deno.readTextFileSync(path))
);
const most = Math.max(committed.length, given.length);
const differing = Array.from({ length: most }, (_, i) => i).filter((i) => committed[i] !== given[i]);
for (const i of differing) console.log(`committed: ${committed[i]}\ngiven:     ${given[i]}\n`);
console.log(`${most - differing.length} of ${most} rows and paragraphs are equal`);
Deno.exit(differing.length === 0 ? 0 : 1);

/** Rows of tables and paragraphs of the page, each in one line, from its heading to the part that is of the clock. */
function figuresOf(text: string): string[] {
  const from = text.indexOf("## What softcot sweep claims gave");
  const to = text.indexOf("### By the clock");
  if (from < 0 || to < 0) throw new Error("Cannot compare: no page of softcot sweep claims");
  return text.slice(from, to)
    .replace(/of commit [0-9a-f]+(, changed)?/, "of commit ...")
    .split(/\n\n|\n(?=\|)/)
    .filter((part) => !/^[|\s:-]+$/.test(part) && !part.startsWith("| (e)"))
    .map((part) => part.trim().replaceAll(/\s+/g, " ").replaceAll(/ ?\| ?/g, "|"));
}
