/** Are two answers the same? Each kind of answer has its rule; parts are compared in the same way. */
import type { Finding } from "../algebra/same_scalar.ts";
import { format, type Node } from "../node.ts";
import { assignment, endOfWork } from "../understand.ts";
import { compareLists, compareMatrices, compareTuples } from "./compare_many.ts";
import { compareScalars } from "./compare_scalars.ts";
import { compareSets, isSetLike } from "./compare_sets.ts";
import {
  compareBases,
  compareChoices,
  comparePercents,
  compareRatios,
  compareTexts,
  compareUnits,
  isBased,
  isChoice,
} from "./compare_written.ts";
import { type Context, no } from "./context.ts";
import { isMany } from "./expand.ts";
import { sameRelation } from "./same_relation.ts";

/** Compares a gold answer with another one. Both have been through `understand`. */
export function compare(gold: Node, answer: Node, c: Context): Finding {
  if (isChoice(gold) || isChoice(answer)) return compareChoices(gold, answer, c);
  if (gold.kind === "text" || answer.kind === "text") return compareTexts(gold, answer, c);
  if (gold.kind === "unit" || answer.kind === "unit") return compareUnits(gold, answer, c);
  if (isMany(gold) || isMany(answer)) return compareLists(gold, answer, c);
  if (gold.kind === "percent" || answer.kind === "percent") return comparePercents(gold, answer, c);
  if (isSetLike(gold) || isSetLike(answer)) return compareSets(gold, answer, c);
  if (gold.kind === "relation" || answer.kind === "relation") return relations(gold, answer, c);
  if (gold.kind === "tuple" || answer.kind === "tuple") return compareTuples(gold, answer, c);
  if (gold.kind === "matrix" || answer.kind === "matrix") return compareMatrices(gold, answer, c);
  if (gold.kind === "ratio" || answer.kind === "ratio") return compareRatios(gold, answer, c);
  if (isBased(gold) || isBased(answer)) return compareBases(gold, answer, c);
  return compareScalars(gold, answer, c);
}

function relations(gold: Node, answer: Node, c: Context): Finding {
  const [a, b] = [assignment(gold), assignment(answer)];
  if (gold.kind === "relation" && answer.kind === "relation") {
    const end = a && endOfWork(answer, a.name);
    if (end) return compare(a.value, end, c);
    if (a && b && (format(a.name) === format(b.name) || !c.strict)) {
      const found = compare(a.value, b.value, c);
      if (found.equal) return found;
    }
    const same = sameRelation(gold, answer, c.steps, (x, y) => compare(x, y, c).equal);
    if (same.equal) return same;
    const described = compareSets(gold, answer, c);
    return described.equal ? described : same;
  }
  const described = compareSets(gold, answer, c);
  if (described.equal) return described;
  if (a) return compare(a.value, answer, c);
  if (b) return compare(gold, b.value, c);
  return described.rule === "a relation for an interval" ? described : no("a relation and no relation");
}
