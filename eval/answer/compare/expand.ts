/** Plus-minus signs written out, and answers flattened into lists without repeats. */
import { MAX_ITEMS, TooLarge } from "../budget.ts";
import { apply, mapChildren, type Node, some } from "../node.ts";

const SIGNS = new Set(["pm", "mp", "plusminus", "minusplus"]);

function countSigns(node: Node, op: string[]): number {
  let count = 0;
  some(node, (n) => {
    if (n.kind === "apply" && op.includes(n.op)) count++;
    return false;
  });
  return count;
}

/**
 * The two values of an answer with one plus-minus sign (and minus-plus signs that go with it); null where there is none,
 * or where several leave open which signs belong together.
 */
function expandSigns(node: Node): Node[] | null {
  const plus = countSigns(node, ["pm", "plusminus"]);
  const minus = countSigns(node, ["mp", "minusplus"]);
  if (plus + minus === 0 || plus > 1 || (plus === 0 && minus > 1)) return null;
  return [resolve(node, 1), resolve(node, -1)];
}

/** True if signs are left that {@linkcode expandSigns} cannot write out. */
export function hasSigns(node: Node): boolean {
  return some(node, (n) => n.kind === "apply" && SIGNS.has(n.op));
}

function resolve(node: Node, sign: 1 | -1): Node {
  const changed = mapChildren(node, (part) => resolve(part, sign));
  if (changed.kind !== "apply" || !SIGNS.has(changed.op)) return changed;
  const up = changed.op === "pm" || changed.op === "plusminus" ? sign : -sign;
  const [first, second] = changed.args;
  if (second === undefined) return up === 1 ? first : apply("negate", first);
  return apply("add", first, up === 1 ? second : apply("negate", second));
}

/** Members of a list, with lists inside of plain values and plus-minus signs written out. */
export function members(node: Node): Node[] {
  const items = node.kind === "list" || node.kind === "set" ? node.items : [node];
  const result: Node[] = [];
  for (const item of items) {
    const pair = expandSigns(item);
    if (pair) result.push(...pair);
    else result.push(item);
    if (result.length > MAX_ITEMS) throw new TooLarge("members of a list");
  }
  return result;
}

/** True for one value with a plus-minus sign: two answers. */
export const hasPair = (n: Node): boolean => n.kind !== "relation" && hasSigns(n) && members(n).length === 2;

/** True for lists, finite sets, and what a plus-minus sign makes two of. */
export const isMany = (n: Node): boolean => n.kind === "list" || n.kind === "set" || hasPair(n);
