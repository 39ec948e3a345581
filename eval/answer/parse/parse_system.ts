/** Systems: equations one below the other in `cases`, `aligned` and the like. */
import type { Node } from "../node.ts";
import { type Cursor, isMark, next } from "./cursor.ts";
import { ParseFailure, type Token } from "./token.ts";

const SYSTEMS = new Set([
  "cases",
  "dcases",
  "rcases",
  "aligned",
  "align",
  "gathered",
  "gather",
  "split",
  "eqnarray",
]);

/** True for the environments of systems. */
export const isSystem = (environment: string): boolean => SYSTEMS.has(environment);

const RELATIONS = new Set(["=", "<", ">", "<=", ">=", "!=", "~", "in"]);

/** The rows up to the end of the environment, as one list. A second column is a piecewise function, which is not read. */
export function parseSystem(c: Cursor, environment: string): Node {
  const rows: Token[][] = [[]];
  for (let depth = 1;;) {
    const t = next(c);
    if (t.kind === "end") throw new ParseFailure("end of a system");
    if (t.kind === "command" && t.text === `end{${environment}}` && --depth === 0) break;
    if (t.kind === "command" && t.text === `begin{${environment}}`) depth++;
    if (t.kind === "mark" && t.text === "\\\\" && depth === 1) rows.push([]);
    else rows.at(-1)!.push(t);
  }
  const items = joinedChains(rows.map(withoutMarks)).filter((row) => row.length > 0).flatMap((row) => {
    const inner: Cursor = { ...c, tokens: row, at: 0 };
    const node = c.parseList(inner);
    if (inner.at < row.length) throw new ParseFailure("row of a system");
    c.steps = inner.steps;
    return node.kind === "list" ? node.items : [node];
  });
  if (items.length === 0) throw new ParseFailure("empty system");
  return items.length === 1 ? items[0] : { kind: "list", joined: "and", items };
}

/** Rows that begin with an equals sign go on with the row above. */
function joinedChains(rows: Token[][]): Token[][] {
  const joined: Token[][] = [];
  for (const row of rows) {
    const last = joined.at(-1);
    if (last && row[0]?.kind === "mark" && row[0].text === "=") last.push(...row);
    else joined.push([...row]);
  }
  return joined;
}

/** A row without the marks that align its relation sign, and without the comma at its end. */
function withoutMarks(row: Token[]): Token[] {
  const tokens = row.filter((t, k) => {
    if (t.kind !== "mark" || t.text !== "&") return true;
    const beside = [row[k - 1], row[k + 1]];
    return !beside.some((other) =>
      other === undefined || RELATIONS.has(other.text) || other.text === "&" || other.text === ","
    );
  });
  while (tokens.length > 0 && /^(?:[,;.]|and)$/.test(tokens.at(-1)!.text)) tokens.pop();
  return tokens;
}

/** Steps over a closing brace behind a system in braces. */
export function takeBrace(c: Cursor): void {
  if (isMark(c, "\\}")) next(c);
}
