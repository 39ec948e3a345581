import { UserError } from "../../gpu/errors.ts";

/** A token of a vocabulary with scores. */
interface ScoredPiece {
  id: number;
  text: string;
  /** Of two pieces that can be joined, the one with the higher score is joined first. */
  score: number;
}

/** Characters of a token: every place to cut it at is tried. Real ones end at some hundred blanks. */
const LONGEST = 1024;

/**
 * Scores as merges: all pairs of tokens that form a token, those of the highest score first. Of one token's pairs the
 * longer left part comes first: a run of one letter is joined from the left.
 *
 * @param pieces the tokens that texts are made of: no special ones, no bytes
 * @throws UserError for a token that is too long to be one
 */
export function scoreMerges(pieces: readonly ScoredPiece[]): [string, string][] {
  const longest = pieces.find(({ text }) => text.length > LONGEST);
  if (longest) {
    throw new UserError(
      `its token ${longest.id} has ${longest.text.length} characters, at most ${LONGEST} are possible`,
    );
  }
  const texts = new Set(pieces.map(({ text }) => text));
  return pieces.toSorted((a, b) => b.score - a.score || a.id - b.id).flatMap(({ text }) => {
    const pairs: [string, string][] = [];
    for (let cut = text.length - 1; cut > 0; cut--) {
      // Never between the halves of a character.
      if (/[\udc00-\udfff]/.test(text[cut]) && /[\ud800-\udbff]/.test(text[cut - 1])) continue;
      const [left, right] = [text.slice(0, cut), text.slice(cut)];
      if (texts.has(left) && texts.has(right)) pairs.push([left, right]);
    }
    return pairs;
  });
}
