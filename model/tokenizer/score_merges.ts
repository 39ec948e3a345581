/** A token of a vocabulary with scores. */
interface ScoredPiece {
  id: number;
  text: string;
  /** Of two pieces that can be joined, the one with the higher score is joined first. */
  score: number;
}

/**
 * Scores as merges: all pairs of tokens that form a token, those of the highest score first. Of one token's pairs the
 * longer left part comes first: a run of one letter is joined from the left.
 *
 * @param pieces the tokens that texts are made of: no special ones, no bytes
 */
export function scoreMerges(pieces: readonly ScoredPiece[]): [string, string][] {
  const texts = new Set(pieces.map(({ text }) => text));
  return pieces.toSorted((a, b) => b.score - a.score || a.id - b.id).flatMap(({ text }) => {
    const pairs: [string, string][] = [];
    const characters = [...text];
    for (let cut = characters.length - 1; cut > 0; cut--) {
      const [left, right] = [characters.slice(0, cut).join(""), characters.slice(cut).join("")];
      if (texts.has(left) && texts.has(right)) pairs.push([left, right]);
    }
    return pairs;
  });
}
