/**
 * The interpreter of @huggingface/jinja 0.5.11 with the semantics of jinja2. Of its own faults: what is set in one turn of a loop is
 * still there in the next, `break` and `continue` lose what the turn has written, a macro sees the variables of its callers,
 * `==` and operators are JavaScript's. It has no other place to mend them than the methods of its prototype, which are replaced here,
 * all of them in this folder; tests/golden/chats/jinja.json tells that it comes to what Python's jinja2 makes.
 *
 * @module
 */
import { Environment, Interpreter } from "@huggingface/jinja";
import { findFilter, installTests, type Test } from "./jinja_filters.ts";
import { installMethods } from "./jinja_methods.ts";
import { operate } from "./jinja_operators.ts";
import {
  areEqual,
  grown,
  is,
  isTrue,
  itemsOf,
  kindOf,
  listIn,
  make,
  mapIn,
  str,
  type Value,
} from "./jinja_values.ts";

/** A node of the library's tree. */
// deno-lint-ignore no-explicit-any
type Node = any;

/** The parts of the interpreter that are its own affair. */
interface Inner {
  evaluate(node: Node, scope: Environment): Value;
  evaluateBlock(nodes: Node[], scope: Environment): Value;
  evaluateArguments(args: Node[], scope: Environment): [Value[], Map<string, Value>];
  evaluateMacro(node: Node, scope: Environment): Value;
  applyFilter(value: Value, filter: Node, scope: Environment): Value;
}

/** How a turn of a loop ended, and what it had written. */
class LoopControl extends Error {
  written = "";
  constructor(readonly kind: "Break" | "Continue") {
    super(`{% ${kind.toLowerCase()} %} stands in no loop`);
  }
}

/** Statements, which write nothing themselves. */
const SILENT: ReadonlySet<string> = new Set(["Set", "Macro", "Comment"]);

function evaluateBlock(this: Inner, nodes: Node[], scope: Environment): Value {
  let written = "";
  for (const node of nodes) {
    try {
      if (node.type === "Break" || node.type === "Continue") throw new LoopControl(node.type);
      const value = this.evaluate(node, scope);
      if (!SILENT.has(node.type)) written = grown(written, str(value));
    } catch (error) {
      if (error instanceof LoopControl) error.written = written + error.written;
      throw error;
    }
  }
  return make.text(written);
}

/** Puts an item into the variables of a loop or of `set`. */
function assign(target: Node, value: Value, scope: Environment): void {
  if (target.type === "Identifier") return void scope.setVariable(target.value, value);
  const items = itemsOf(value);
  if (target.type !== "TupleLiteral" || items.length !== target.value.length) {
    throw new Error(
      `${items.length} items cannot be put into ${target.value?.length ?? target.type} variables`,
    );
  }
  target.value.forEach((one: Node, i: number) => assign(one, items[i], scope));
}

function evaluateFor(this: Inner, node: Node, outer: Environment): Value {
  const isFiltered = node.iterable.type === "SelectExpression";
  const all = itemsOf(this.evaluate(isFiltered ? node.iterable.lhs : node.iterable, outer));
  const items = !isFiltered ? all : all.filter((item) => {
    const scope = new Environment(outer);
    assign(node.loopvar, item, scope);
    return isTrue(this.evaluate(node.iterable.test, scope));
  });
  let [written, isWhole] = ["", false];
  const changes: Value[][] = [];
  for (let i = 0; i < items.length; i++) {
    const scope = new Environment(outer);
    scope.setVariable("loop", loopOf(items, i, changes));
    assign(node.loopvar, items[i], scope);
    try {
      written = grown(written, str(this.evaluateBlock(node.body, scope)));
      isWhole = true;
    } catch (error) {
      if (!(error instanceof LoopControl)) throw error;
      written = grown(written, error.written);
      if (error.kind === "Break") break;
    }
  }
  // jinja2 counts whole turns, too.
  if (!isWhole) written += str(this.evaluateBlock(node.defaultBlock, new Environment(outer)));
  return make.text(written);
}

function loopOf(items: Value[], i: number, changes: Value[][]): Value {
  const { length } = items;
  const [int, bool] = [make.int, make.bool];
  const changed = (args: Value[]) => {
    const last = changes.pop();
    changes.push(args);
    return bool(last === undefined || !areEqual(make.list(last), make.list(args)));
  };
  return make.map(
    new Map<string, Value>([
      ...Object.entries({
        index: int(i + 1),
        index0: int(i),
        revindex: int(length - i),
        revindex0: int(length - i - 1),
      }),
      ...Object.entries({ first: bool(i === 0), last: bool(i === length - 1), length: int(length) }),
      ...Object.entries({ depth: int(1), depth0: int(0) }),
      ...Object.entries({
        previtem: items[i - 1] ?? make.nothing(),
        nextitem: items[i + 1] ?? make.nothing(),
      }),
      ["cycle", make.call((args) => args[i % args.length])],
      ["changed", make.call(changed)],
    ]),
  );
}

function evaluateSet(this: Inner, node: Node, scope: Environment): Value {
  // What is set within the block stays there.
  const value = node.value
    ? this.evaluate(node.value, scope)
    : this.evaluateBlock(node.body, new Environment(scope));
  const { assignee } = node;
  if (assignee.type !== "MemberExpression") assign(assignee, value, scope);
  else {
    const object = this.evaluate(assignee.object, scope);
    if (object.type !== "NamespaceValue") {
      throw new Error(`a ${kindOf(object)} takes no attributes, a namespace does`);
    }
    mapIn(object).set(assignee.property.value, value);
  }
  return make.none();
}

function evaluateFilterStatement(this: Inner, node: Node, scope: Environment): Value {
  return this.applyFilter(this.evaluateBlock(node.body, new Environment(scope)), node.filter, scope);
}

/** A macro sees the variables of where it stands, not those of where it is called; `caller` is handed in. */
function lexical(evaluateMacro: Inner["evaluateMacro"]): Inner["evaluateMacro"] {
  return function (this: Inner, node: Node, scope: Environment): Value {
    evaluateMacro.call(this, node, scope);
    const inner = scope.lookupVariable(node.name.value).value as (args: Value[], scope: Environment) => Value;
    const outermost = outermostOf(scope);
    const call = (args: Value[], calledIn: Environment) => {
      const own = new Environment(scope === outermost ? outermost : scope);
      own.setVariable("loop", make.nothing());
      if (calledIn.variables.has("caller")) own.setVariable("caller", calledIn.variables.get("caller")!);
      return inner(args, own);
    };
    scope.setVariable(node.name.value, make.call(call));
    return make.none();
  };
}

function outermostOf(scope: Environment): Environment {
  while (scope.parent) scope = scope.parent;
  return scope;
}

function evaluateBinaryExpression(this: Inner, node: Node, scope: Environment): Value {
  const left = this.evaluate(node.left, scope);
  const sign: string = node.operator.value;
  if (sign === "and") return isTrue(left) ? this.evaluate(node.right, scope) : left;
  if (sign === "or") return isTrue(left) ? left : this.evaluate(node.right, scope);
  return operate(sign, left, this.evaluate(node.right, scope), node.left);
}

function evaluateMemberExpression(
  this: Inner,
  node: Node,
  scope: Environment,
  inLibrary: Inner["evaluate"],
): Value {
  const object = this.evaluate(node.object, scope);
  if (is.nothing(object)) throw new Error(`a value is not there: ${nameOf(node)} cannot be read of it`);
  if (!node.computed && is.map(object)) {
    const name: string = node.property.value;
    return mapMethod(object, name) ?? mapIn(object).get(name) ?? make.nothing();
  }
  if (!node.computed || node.property.type === "SliceExpression") return inLibrary.call(this, node, scope);
  const key = this.evaluate(node.property, scope);
  if (is.map(object) && is.text(key)) {
    const name = key.value as string;
    return mapIn(object).get(name) ?? mapMethod(object, name) ?? make.nothing();
  }
  if (!is.int(key)) return inLibrary.call(this, node, scope);
  if (is.text(object)) {
    const character = Array.from(object.value as string).at(key.value as number);
    return character === undefined ? make.nothing() : make.text(character);
  }
  return is.list(object) ? listIn(object).at(key.value as number) ?? make.nothing() : make.nothing();
}

/** Methods of maps: of a name, they go before a key where Python looks for an attribute. */
function mapMethod(map: Value, name: string): Value | undefined {
  const inside = mapIn(map);
  switch (name) {
    case "get":
      return make.call(([key, or]) =>
        inside.get(is.text(key) ? key.value as string : "") ?? or ?? make.none()
      );
    case "items":
      return make.call(() =>
        make.list(Array.from(inside, ([key, item]) => make.tuple([make.text(key), item])))
      );
    case "keys":
      return make.call(() => make.texts([...inside.keys()]));
    case "values":
      return make.call(() => make.list([...inside.values()]));
  }
}

const nameOf = (node: Node): string =>
  node.property.type === "Identifier" || node.property.type === "StringLiteral"
    ? node.property.value
    : "an item";

function applyFilter(
  this: Inner,
  inLibrary: Inner["applyFilter"],
  value: Value,
  node: Node,
  scope: Environment,
): Value {
  const name: string = node.type === "Identifier" ? node.value : node.callee.value;
  const filter = findFilter(name);
  if (!filter) {
    // Its own find a method of the value's where there is no filter.
    if (is.text(value)) throw new Error(`Unknown filter: ${name}`);
    return inLibrary.call(this, value, node, scope);
  }
  const [args, named] = node.type === "Identifier"
    ? [[], new Map()]
    : this.evaluateArguments(node.args, scope);
  const other = (of: string, item: Value, more: Value[]): Value => {
    const found = findFilter(of);
    if (!found) throw new Error(`Unknown filter: ${of}`);
    return found(item, { args: more, named: new Map(), filter: other });
  };
  return filter(value, { args, named, filter: other });
}

/** Puts all of this in the place of the library's own. */
export function installPythonSemantics(): void {
  const own = Interpreter.prototype as unknown as Record<string, (...args: unknown[]) => Value>;
  const [member, filter, macro] = [own.evaluateMemberExpression, own.applyFilter, own.evaluateMacro];
  Object.assign(own, {
    evaluateBlock,
    evaluateFor,
    evaluateSet,
    evaluateFilterStatement,
    evaluateBinaryExpression,
    evaluateMacro: lexical(macro as Inner["evaluateMacro"]),
    evaluateMemberExpression(this: Inner, node: Node, scope: Environment) {
      return evaluateMemberExpression.call(this, node, scope, member as Inner["evaluate"]);
    },
    applyFilter(this: Inner, value: Value, node: Node, scope: Environment) {
      return applyFilter.call(this, filter as Inner["applyFilter"], value, node, scope);
    },
  });
  installMethods();
  // One map for all environments.
  installTests(new Environment().tests as unknown as Map<string, Test>);
}
