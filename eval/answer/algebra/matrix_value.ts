/** Sums and products of matrices with given entries. */
import { apply, checkSize, type Node, number, some } from "../node.ts";
import { addRationals, multiplyRationals } from "../rational.ts";

type Matrix = Node & { kind: "matrix" };

/** The matrix that an expression of matrices and scalars comes to, or null where it is none. */
export function matrixValue(node: Node): Matrix | null {
  if (node.kind === "matrix") return node;
  if (node.kind !== "apply" || !some(node, (n) => n.kind === "matrix")) return null;
  switch (node.op) {
    case "add":
      return node.args.map(matrixValue).reduce((a, b) => a && b && sum(a, b));
    case "negate": {
      const inner = matrixValue(node.args[0]);
      return inner && entrywise(inner, (x) => apply("negate", x));
    }
    case "multiply":
      return node.args.reduce<Matrix | Node | null>((a, b) => a && multiply(a, matrixValue(b) ?? b), one) as
        | Matrix
        | null;
    case "divide": {
      const top = matrixValue(node.args[0]);
      return top && entrywise(top, (x) => apply("divide", x, node.args[1]));
    }
    default:
      return null;
  }
}

const one: Node = { kind: "number", value: { num: 1n, den: 1n } };

function entrywise(m: Matrix, change: (entry: Node) => Node): Matrix {
  return sized({ kind: "matrix", rows: m.rows.map((row) => row.map(change)) });
}

/** Entries grow with every product: beyond the budget of nodes there is no value. */
function sized(m: Matrix): Matrix {
  checkSize(m);
  return m;
}

function plus(a: Node, b: Node): Node {
  return a.kind === "number" && b.kind === "number"
    ? number(addRationals(a.value, b.value))
    : apply("add", a, b);
}

function times(a: Node, b: Node): Node {
  return a.kind === "number" && b.kind === "number"
    ? number(multiplyRationals(a.value, b.value))
    : apply("multiply", a, b);
}

function sum(a: Matrix, b: Matrix): Matrix | null {
  if (a.rows.length !== b.rows.length || a.rows[0].length !== b.rows[0].length) return null;
  return sized({ kind: "matrix", rows: a.rows.map((row, i) => row.map((x, j) => plus(x, b.rows[i][j]))) });
}

function multiply(a: Node, b: Node): Node | null {
  if (a.kind === "matrix" && b.kind === "matrix") {
    if (a.rows[0].length !== b.rows.length) return null;
    const column = (j: number) => b.rows.map((row) => row[j]);
    const dot = (x: Node[], y: Node[]) => x.map((v, k) => times(v, y[k])).reduce(plus);
    return sized({ kind: "matrix", rows: a.rows.map((row) => b.rows[0].map((_, j) => dot(row, column(j)))) });
  }
  if (a.kind === "matrix") return entrywise(a, (x) => times(x, b));
  if (b.kind === "matrix") return entrywise(b, (x) => times(a, x));
  return times(a, b);
}
