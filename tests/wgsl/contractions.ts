import { parseWgsl } from "./parse_wgsl.ts";
import { ANY, either, holds, type Path, type Products, sizeOf, withValue } from "./products.ts";
import {
  commonType,
  elementOf,
  isFloat,
  memberOf,
  resolved,
  scalarOf,
  typeOfBuiltin,
  typeOfNumber,
} from "./wgsl_types.ts";
import type { Expression, Span, Statement, WgslFunction, WgslTree } from "./wgsl_tree.ts";

/** A place where a compiler may round once what is written as a product and a sum. */
export interface Contraction {
  line: number;
  text: string;
}

// Sums of products of their own.
const SUMS_OF_PRODUCTS = /^(dot|length|distance|normalize|mix|smoothstep|cross|reflect|refract|determinant)$/;
const CONVERSION = /^(f32|f16|i32|u32|bool|vec[234]<.*>)$/;

/** What an expression gives: its type, and whether it is, or holds, a product that no function or memory has taken. */
interface Value {
  type: string;
  product: boolean;
}

interface Variable {
  type: string;
  /** Undefined of memory that is not a function's own: what is read there is a product no more. */
  id?: number;
}

interface Walk {
  tree: WgslTree;
  found: Set<Span>;
  /** Whether a function, by its name and which arguments are products, gives one. */
  calls: Map<string, boolean>;
  scopes: Map<string, Variable>[];
  count: number;
  products: Products;
  givesProduct: boolean;
}

/**
 * Where a kernel adds or subtracts a floating-point product outside `fma`: of these a driver may make a fused multiply-add, in one kernel and not
 * in another. Products are followed through variables, constructors and the kernel's own functions, and no further through built-in functions,
 * divisions and shared memory. Where a condition decides, a product on either way counts.
 * @throws Error at what it cannot read
 */
export function contractions(code: string): Contraction[] {
  const tree = parseWgsl(code);
  const walk: Walk = {
    ...{ tree, found: new Set(), calls: new Map(), scopes: [new Map()] },
    ...{ count: 0, products: new Map(), givesProduct: false },
  };
  for (const one of tree.variables) declare(walk, one);
  for (const one of tree.functions.values()) call(walk, one, one.parameters.map(() => false));
  return [...walk.found].sort((a, b) => a.start - b.start || a.end - b.end).map(({ start, end }) => ({
    line: code.slice(0, start).split("\n").length,
    text: code.slice(start, end).replace(/\s+/g, " "),
  }));
}

function call(walk: Walk, { name, parameters, body }: WgslFunction, given: readonly boolean[]): boolean {
  const key = `${name} ${given}`;
  const known = walk.calls.get(key);
  if (known !== undefined) return known;
  const { scopes, products, givesProduct } = walk;
  Object.assign(walk, { scopes: [scopes[0], new Map()], products: new Map(), givesProduct: false });
  parameters.forEach(({ name, type }, i) =>
    define(walk, name, { type: resolved(walk.tree, type), product: given[i] })
  );
  run(walk, body);
  const gives = walk.givesProduct;
  walk.calls.set(key, gives);
  Object.assign(walk, { scopes, products, givesProduct });
  return gives;
}

/** @param isOwn whether it is the function's own, and no shared memory */
function define(walk: Walk, name: string, { type, product }: Value, isOwn = true): void {
  const id = isOwn ? walk.count++ : undefined;
  walk.scopes.at(-1)!.set(name, { type, id });
  if (id !== undefined) walk.products = withValue(walk.products, id, [], product);
}

function declare(walk: Walk, { space, name, type, value }: Extract<Statement, { is: "declare" }>): void {
  const made = value && evaluate(walk, value);
  const own = type === undefined ? made!.type : resolved(walk.tree, type);
  const isOwn = space === undefined || space === "private";
  define(walk, name, { type: own, product: made?.product ?? false }, isOwn);
}

/** Runs statements in a scope of their own; whether they return. */
function run(walk: Walk, body: readonly Statement[]): boolean {
  const { count } = walk;
  walk.scopes.push(new Map());
  const returns = body.some((one) => step(walk, one));
  walk.scopes.pop();
  // A later variable gets the number of one that is gone.
  walk.products = new Map([...walk.products].filter(([id]) => id < count));
  walk.count = count;
  return returns;
}

/** Runs a statement; whether it returns. */
function step(walk: Walk, one: Statement): boolean {
  switch (one.is) {
    case "declare":
      declare(walk, one);
      return false;
    case "assign":
      assign(walk, one.target, evaluate(walk, one.value));
      return false;
    case "call":
      evaluate(walk, one.value);
      return false;
    case "block":
      return run(walk, one.body);
    case "return":
      if (one.value && evaluate(walk, one.value).product) walk.givesProduct = true;
      return true;
    case "if":
      return choose(walk, one);
    case "loop":
      repeat(walk, one);
      return false;
    case "leave":
      return false;
  }
}

function choose(walk: Walk, { condition, then, otherwise }: Extract<Statement, { is: "if" }>): boolean {
  evaluate(walk, condition);
  const before = walk.products;
  const thenReturns = run(walk, then);
  const after = walk.products;
  walk.products = before;
  const otherwiseReturns = run(walk, otherwise);
  if (otherwiseReturns) walk.products = after;
  else if (!thenReturns) walk.products = either(after, walk.products);
  return thenReturns && otherwiseReturns;
}

/** Once more wherever a round begins with more products than the one before. */
function repeat(walk: Walk, { condition, body, step: last }: Extract<Statement, { is: "loop" }>): void {
  for (;;) {
    const before = walk.products;
    if (condition) evaluate(walk, condition);
    run(walk, [{ is: "block", body: [...body] }, ...last]);
    walk.products = either(before, walk.products);
    if (sizeOf(walk.products) === sizeOf(before)) return;
  }
}

/** The variable that an expression names, and the way into it. */
function placeOf(walk: Walk, one: Expression): { variable: Variable; path: Path } | undefined {
  if (one.is === "name") return { variable: lookUp(walk, one.name), path: [] };
  if (one.is !== "member" && one.is !== "index") return undefined;
  const outer = placeOf(walk, one.of);
  if (!outer) return undefined;
  const isOne = one.is === "member" && (one.name.length === 1 || !/^[xyzw]+$/.test(one.name));
  const part = isOne ? one.name : one.is === "index" && one.at.is === "number" ? one.at.text : ANY;
  return { variable: outer.variable, path: [...outer.path, part] };
}

function lookUp(walk: Walk, name: string): Variable {
  for (const scope of walk.scopes.toReversed()) {
    const found = scope.get(name);
    if (found) return found;
  }
  throw new Error(`Cannot follow ${name}: it is not declared`);
}

function assign(walk: Walk, target: Expression, { product }: Value): void {
  evaluate(walk, target);
  const place = placeOf(walk, target);
  if (!place) throw new Error(`Cannot assign to ${target.is}: a variable is needed`);
  const { variable: { id }, path } = place;
  if (id === undefined) return;
  walk.products = withValue(walk.products, id, path, product);
}

function holdsProduct(walk: Walk, one: Expression): boolean {
  const place = placeOf(walk, one);
  return place?.variable.id !== undefined && holds(walk.products, place.variable.id, place.path);
}

function evaluate(walk: Walk, one: Expression): Value {
  switch (one.is) {
    case "number":
      return { type: typeOfNumber(one.text), product: false };
    case "name":
      if (one.name === "true" || one.name === "false") return { type: "bool", product: false };
      return { type: lookUp(walk, one.name).type, product: holdsProduct(walk, one) };
    case "member":
    case "index": {
      const of = evaluate(walk, one.of);
      if (one.is === "index") evaluate(walk, one.at);
      const type = one.is === "index" ? elementOf(of.type) : memberOf(walk.tree, of.type, one.name);
      return { type, product: placeOf(walk, one) ? holdsProduct(walk, one) : of.product };
    }
    case "unary": {
      const of = evaluate(walk, one.of);
      return { type: of.type, product: one.sign === "-" && of.product };
    }
    case "call":
      return evaluateCall(walk, one);
    case "binary":
      return evaluateBinary(walk, one);
  }
}

function evaluateBinary(walk: Walk, one: Extract<Expression, { is: "binary" }>): Value {
  const left = evaluate(walk, one.left);
  const right = evaluate(walk, one.right);
  const { sign } = one;
  if (sign === "<<" || sign === ">>") return { type: left.type, product: false };
  const type = commonType([left.type, right.type]);
  if (/^([=!<>]=|[<>]|&&|\|\|)$/.test(sign)) {
    return { type: type.replace(scalarOf(type), "bool"), product: false };
  }
  if (!isFloat(type)) return { type, product: false };
  if ((sign === "+" || sign === "-") && (left.product || right.product)) walk.found.add(one);
  return { type, product: sign === "*" };
}

function evaluateCall(walk: Walk, one: Extract<Expression, { is: "call" }>): Value {
  const { name } = one;
  const args = one.args.map((arg) => evaluate(walk, arg));
  const own = walk.tree.functions.get(name);
  if (own) {
    const product = call(walk, own, args.map((arg) => arg.product));
    return { type: resolved(walk.tree, own.result ?? ""), product };
  }
  const type = resolved(walk.tree, name);
  if (CONVERSION.test(type)) return { type, product: isFloat(type) && args.some((arg) => arg.product) };
  if (walk.tree.structs.has(type)) return { type, product: args.some((arg) => arg.product) };
  const cast = /^bitcast<(.*)>$/.exec(type);
  if (cast) return { type: cast[1], product: false };
  const types = args.map((arg) => arg.type);
  const given = typeOfBuiltin(name, types);
  if (given === undefined) throw new Error(`Cannot follow a call of ${name}: its type is not known`);
  if (SUMS_OF_PRODUCTS.test(name) && isFloat(scalarOf(commonType(types)))) walk.found.add(one);
  return { type: given, product: false };
}
