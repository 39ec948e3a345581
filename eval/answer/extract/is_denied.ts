/** What a sentence says of a number or a letter by way of denying it. */

const DENIED_BEHIND = new RegExp(
  String
    .raw`^[\s$*"')\]\\.]*(?:(?:is|are|was|were|be|being|would be|must be|seems?|looks?|cannot be|can't be)\s+)?` +
    String.raw`(?:(?:clearly|simply|just|certainly|obviously|also|all|both|therefore|thus)\s+)*` +
    "(?:wrong|incorrect|false|impossible|invalid|extraneous|ruled out|excluded|rejected|eliminated|discarded|an? mistake|an? error|" +
    "no solution|not (?:correct|right|true|valid|possible|the|an?|allowed|it|ok|what)\\b|too (?:large|small|big|high|low|many|few)\\b|" +
    "(?:isn|wasn|aren|weren)['’]t\\b|(?:cannot|can['’]t) be\\b|(?:does|do|did)(?:n['’]t| not) (?:work|hold|fit|satisfy)|fails?\\b|failed\\b)",
  "i",
);

const DENIED_BEFORE = new RegExp(
  String
    .raw`(?:\bnot|n['’]t|\bcannot|\bnever|\bneither|\bnor|\brather than|\binstead of|\bwrong(?:ly)?(?: answer)?|\bincorrect(?: answer)?|` +
    ",\\s*(?:no|non|pas|nicht|niet|inte|não)|不是|不等于|并非|\\bnicht|\\bno es|\\bnon è|\\bnão é|\\bn['’]est pas|(?<!\\p{L})не)" +
    String
      .raw`\s*(?:(?:be|equal|equals|to|simply|just|the|really|exactly|answer|is|get|option|choice|:)\s+)*[\s$(\\[*"]*$`,
  "iu",
);

/** True if the words around the place from `start` to `end` deny what stands there: `7 is wrong`, `it is not 7`. */
export function isDenied(text: string, start: number, end: number): boolean {
  return DENIED_BEHIND.test(text.slice(end, end + 80)) ||
    DENIED_BEFORE.test(text.slice(Math.max(0, start - 60), start));
}
