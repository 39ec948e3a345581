/** Letters of an answer that stand for any number of a set: their names mean nothing. */
import { freeSymbols } from "./algebra/sample_points.ts";
import { substitute } from "./algebra/substitute.ts";
import { format, type Node, some, symbol } from "./node.ts";

const SETS = /^(?:math(?:bb|bf|cal|rm)\{([ZNQRC])\}|\\?([ZNQRC]))$/;

/** The letter of a set of numbers, the words for one, or null. */
function domainOf(node: Node): string | null {
  if (node.kind === "text") return node.text === "restricted" ? null : node.text;
  if (node.kind !== "symbol") return null;
  const m = SETS.exec(node.name);
  return m && (m[1] ?? m[2]);
}

/** `n \in \mathbb{Z}`: the letter and its set. */
function membership(node: Node): { name: string; domain: string } | null {
  if (node.kind !== "relation" || node.ops.length !== 1 || node.ops[0] !== "in") return null;
  const [name, set] = node.sides;
  const domain = domainOf(set);
  return name.kind === "symbol" && !name.constant && domain !== null ? { name: name.name, domain } : null;
}

/** Sets in which a letter may have any value: its membership says no more than that it is a parameter. */
const FREE = new Set(["R", "C", "any"]);

/** The names of an answer's parameters, in the order in which they appear. */
function parametersOf(node: Node): string[] {
  const names: string[] = [];
  some(node, (n) => {
    if (n.kind === "symbol" && n.any && !names.includes(n.name)) names.push(n.name);
    return false;
  });
  return names;
}

/** The answer with its parameters named as those of the gold answer; null where there is nothing to rename. */
export function withNamesOf(gold: Node, answer: Node): Node | null {
  const [theirs, own] = [parametersOf(gold), parametersOf(answer)];
  if (own.length === 0 || own.length !== theirs.length || own.join() === theirs.join()) return null;
  const apart = own.reduce((n, name, k) => substitute(n, name, symbol(`parameter ${k}`)), answer);
  if (freeSymbols(apart).some((name) => theirs.includes(name))) return null;
  return theirs.reduce((n, name, k) => substitute(n, `parameter ${k}`, symbol(name)), apart);
}

/** True if the letter is what the item is about, and no parameter of it. */
const isSubject = (item: Node, name: string): boolean =>
  item.kind !== "relation" ? item.kind === "symbol" : item.ops.some((op) => op !== "=") ||
    freeSymbols(item.sides[0]).includes(name);

/**
 * `x = 2\pi n, n \in \mathbb{Z}` as `x = 2\pi N` with N a name for any integer; memberships in the real or complex
 * numbers say nothing and go.
 */
export function bindParameters(node: Node & { kind: "list" }): Node {
  const members = node.items.map(membership);
  if (members.every((m) => m === null) || members.every((m) => m !== null)) return node;
  const items: Node[] = [];
  const bound: { name: string; domain: string }[] = [];
  node.items.forEach((item, k) => {
    const m = members[k];
    const joined = item.kind === "symbol" && !item.constant && members[k + 1];
    if (!m && !joined) items.push(item);
    else bound.push(m ?? { name: (item as { name: string }).name, domain: members[k + 1]!.domain });
  });
  const used = bound.filter(({ name }) => items.some((item) => freeSymbols(item).includes(name)));
  if (used.length < bound.length) return node;
  const bounded = used.filter(({ domain }) => !FREE.has(domain));
  if (items.some((item) => bounded.some(({ name }) => isSubject(item, name)))) return node;
  // Numbered in the order in which they appear, so that both sides number alike.
  const order = items.map(format).join(" ");
  const place = ({ name }: { name: string }) =>
    order.search(new RegExp(`(?<![A-Za-z])${name.replace(/\W/g, "\\$&")}(?![A-Za-z])`));
  const renamed = bounded.sort((a, b) => place(a) - place(b));
  const free = used.filter(({ domain }) => FREE.has(domain));
  const marked = items.map((item) =>
    free.reduce<Node>((n, { name }) => substitute(n, name, { kind: "symbol", name, any: true }), item)
  );
  const result = marked.map((item) =>
    renamed.reduce((n, { name, domain }, k) => substitute(n, name, symbol(`any of ${domain} ${k + 1}`)), item)
  );
  return result.length === 1 ? result[0] : { ...node, items: result };
}
