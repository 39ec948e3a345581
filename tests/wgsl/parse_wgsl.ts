import { WgslReader } from "./wgsl_reader.ts";
import type { Expression, Statement, WgslFunction, WgslTree } from "./wgsl_tree.ts";

// From what binds last to what binds first.
const LEVELS = ["||", "&&", "|", "^", "&", "== != < > <= >=", "<< >>", "+ -", "* / %"];
const LEVEL_OF = new Map(
  LEVELS.flatMap((signs, level) => signs.split(" ").map((sign) => [sign, level] as const)),
);

// Only these names are followed by types in angle brackets: elsewhere "<" compares.
const WITH_TYPES = /^(vec[234]|mat[234]x[234]|array|ptr|atomic|bitcast)$/;

/** Reads a kernel's text. @throws Error at what it does not know */
export function parseWgsl(code: string): WgslTree {
  const reader = new WgslReader(code);
  const tree: WgslTree = { aliases: new Map(), structs: new Map(), variables: [], functions: new Map() };
  while (!reader.ended) topLevel(reader, tree);
  return tree;
}

function topLevel(reader: WgslReader, tree: WgslTree): void {
  attributes(reader);
  if (reader.takeIf(";")) return;
  const word = reader.next;
  if (word === "alias") {
    reader.take();
    const name = reader.take();
    reader.expect("=");
    tree.aliases.set(name, typeName(reader));
    reader.expect(";");
  } else if (word === "struct") {
    reader.take();
    tree.structs.set(reader.take(), new Map(fields(reader, "{", "}").map(({ name, type }) => [name, type])));
  } else if (word === "fn") {
    const made = functionOf(reader);
    tree.functions.set(made.name, made);
  } else {
    const declared = statement(reader);
    if (declared.is !== "declare") throw reader.error("a declaration is needed");
    tree.variables.push(declared);
  }
}

function attributes(reader: WgslReader): void {
  while (reader.takeIf("@")) {
    reader.take();
    if (reader.next === "(") list(reader, "(", ")", () => expression(reader));
  }
}

function functionOf(reader: WgslReader): WgslFunction {
  reader.expect("fn");
  const name = reader.take();
  const parameters = fields(reader, "(", ")");
  const result = reader.takeIf("->") ? typeName(reader) : undefined;
  return { name, parameters, result, body: block(reader) };
}

const fields = (reader: WgslReader, open: string, close: string): { name: string; type: string }[] =>
  list(reader, open, close, () => {
    attributes(reader);
    const name = reader.take();
    reader.expect(":");
    return { name, type: typeName(reader) };
  });

function list<T>(reader: WgslReader, open: string, close: string, one: () => T): T[] {
  reader.expect(open);
  const all: T[] = [];
  while (!reader.takeIf(close)) {
    all.push(one());
    if (!reader.takeIf(",") && reader.next !== close) throw reader.error(`"${close}" is needed`);
  }
  return all;
}

function typeName(reader: WgslReader): string {
  const name = reader.take();
  if (!WITH_TYPES.test(name) || !reader.takeIf("<")) return name;
  const parts: string[] = [];
  do {
    // A length may be a product.
    let part = typeName(reader);
    while (reader.next === "*" || reader.next === "+") part += reader.take() + reader.take();
    parts.push(part);
  } while (reader.takeIf(","));
  reader.closeTypes();
  return `${name}<${parts.join(",")}>`;
}

function block(reader: WgslReader): Statement[] {
  reader.expect("{");
  const body: Statement[] = [];
  while (!reader.takeIf("}")) if (!reader.takeIf(";")) body.push(statement(reader));
  return body;
}

function statement(reader: WgslReader): Statement {
  switch (reader.next) {
    case "{":
      return { is: "block", body: block(reader) };
    case "if":
      return choice(reader);
    case "for":
      return forLoop(reader);
    case "while":
      reader.take();
      return { is: "loop", condition: expression(reader), body: block(reader), step: [] };
    case "loop":
      reader.take();
      return { is: "loop", body: block(reader), step: [] };
  }
  const made = simple(reader);
  reader.expect(";");
  return made;
}

function choice(reader: WgslReader): Statement {
  reader.expect("if");
  const condition = expression(reader);
  const then = block(reader);
  if (!reader.takeIf("else")) return { is: "if", condition, then, otherwise: [] };
  return { is: "if", condition, then, otherwise: reader.next === "if" ? [choice(reader)] : block(reader) };
}

function forLoop(reader: WgslReader): Statement {
  reader.expect("for");
  reader.expect("(");
  const first = reader.next === ";" ? [] : [simple(reader)];
  reader.expect(";");
  const condition = reader.next === ";" ? undefined : expression(reader);
  reader.expect(";");
  const step = reader.next === ")" ? [] : [simple(reader)];
  reader.expect(")");
  return { is: "block", body: [...first, { is: "loop", condition, body: block(reader), step }] };
}

/** What a ";" ends. */
function simple(reader: WgslReader): Statement {
  if (/^(let|var|const|override)$/.test(reader.next)) return declaration(reader);
  if (reader.takeIf("return")) {
    return { is: "return", value: reader.next === ";" ? undefined : expression(reader) };
  }
  if (reader.takeIf("break") || reader.takeIf("continue")) return { is: "leave" };
  const target = unary(reader);
  const sign = reader.next;
  if (sign === ";" || sign === ")") return { is: "call", value: target };
  reader.take();
  if (sign === "=") return { is: "assign", target, value: expression(reader) };
  const one: Expression = { is: "number", text: "1", start: target.start, end: target.end };
  const counts = sign === "++" || sign === "--";
  if (!counts && !/^[-+*/%&|^]=$/.test(sign)) throw reader.error(`an assignment is needed after "${sign}"`);
  const right = counts ? one : expression(reader);
  const { start, end } = { start: target.start, end: reader.end };
  return { is: "assign", target, value: { is: "binary", sign: sign[0], left: target, right, start, end } };
}

function declaration(reader: WgslReader): Statement {
  const word = reader.take();
  const space = word === "var" && reader.takeIf("<") ? reader.take() : undefined;
  if (space !== undefined) {
    if (reader.takeIf(",")) reader.take();
    reader.closeTypes();
  }
  const name = reader.take();
  const type = reader.takeIf(":") ? typeName(reader) : undefined;
  const value = reader.takeIf("=") ? expression(reader) : undefined;
  return { is: "declare", word, space, name, type, value };
}

function expression(reader: WgslReader, level = 0): Expression {
  let left = unary(reader);
  for (
    let own = LEVEL_OF.get(reader.next);
    own !== undefined && own >= level;
    own = LEVEL_OF.get(reader.next)
  ) {
    const sign = reader.take();
    const right = expression(reader, own + 1);
    left = { is: "binary", sign, left, right, start: left.start, end: reader.end };
  }
  return left;
}

function unary(reader: WgslReader): Expression {
  const { start } = reader;
  if (/^[-!~&*]$/.test(reader.next)) {
    const sign = reader.take();
    return { is: "unary", sign, of: unary(reader), start, end: reader.end };
  }
  let made = primary(reader);
  while (reader.next === "." || reader.next === "[") {
    if (reader.takeIf(".")) made = { is: "member", of: made, name: reader.take(), start, end: reader.end };
    else {
      reader.expect("[");
      const at = expression(reader);
      reader.expect("]");
      made = { is: "index", of: made, at, start, end: reader.end };
    }
  }
  return made;
}

function primary(reader: WgslReader): Expression {
  const { start, next } = reader;
  if (reader.takeIf("(")) {
    const inner = expression(reader);
    reader.expect(")");
    return { ...inner, start, end: reader.end };
  }
  if (/^[\d.]/.test(next)) return { is: "number", text: reader.take(), start, end: reader.end };
  if (!/^[A-Za-z_]/.test(next)) throw reader.error("an expression is needed");
  const name = typeName(reader);
  if (reader.next !== "(") return { is: "name", name, start, end: reader.end };
  const args = list(reader, "(", ")", () => expression(reader));
  return { is: "call", name, args, start, end: reader.end };
}
