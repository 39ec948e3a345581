/** Sums and products of matrices with given entries. */
import { apply, type Node, some } from "./node.ts";

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
  return { kind: "matrix", rows: m.rows.map((row) => row.map(change)) };
}

function sum(a: Matrix, b: Matrix): Matrix | null {
  if (a.rows.length !== b.rows.length || a.rows[0].length !== b.rows[0].length) return null;
  return { kind: "matrix", rows: a.rows.map((row, i) => row.map((x, j) => apply("add", x, b.rows[i][j]))) };
}

function multiply(a: Node, b: Node): Node | null {
  if (a.kind === "matrix" && b.kind === "matrix") {
    if (a.rows[0].length !== b.rows.length) return null;
    const column = (j: number) => b.rows.map((row) => row[j]);
    const dot = (x: Node[], y: Node[]) => apply("add", ...x.map((v, k) => apply("multiply", v, y[k])));
    return { kind: "matrix", rows: a.rows.map((row) => b.rows[0].map((_, j) => dot(row, column(j)))) };
  }
  if (a.kind === "matrix") return entrywise(a, (x) => apply("multiply", x, b));
  if (b.kind === "matrix") return entrywise(b, (x) => apply("multiply", a, x));
  return apply("multiply", a, b);
}
