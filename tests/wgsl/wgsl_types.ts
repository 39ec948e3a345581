import type { WgslTree } from "./wgsl_tree.ts";

// Built-in functions by what they give: the type of their arguments, the scalar of these, or one of their own.
const AS_ARGUMENTS = new Set(
  ("abs ceil clamp cos cosh exp exp2 floor fma fract log log2 max min mix normalize pow round select sign sin sqrt tan tanh trunc inverseSqrt " +
    "countOneBits reverseBits subgroupAdd subgroupBroadcast subgroupExclusiveAdd subgroupMax subgroupMin subgroupShuffle subgroupShuffleXor " +
    "countLeadingZeros countTrailingZeros firstLeadingBit firstTrailingBit").split(" "),
);
const AS_SCALAR = new Set(["dot", "length", "distance"]);
const OWN: Readonly<Record<string, string>> = {
  unpack2x16float: "vec2<f32>",
  pack2x16float: "u32",
  all: "bool",
  any: "bool",
  storageBarrier: "",
  workgroupBarrier: "",
};

/** The type of a number as it is written; "float" and "int" are those of numbers without a suffix. */
export function typeOfNumber(text: string): string {
  const isHex = /^0x/i.test(text);
  if (text.endsWith("u")) return "u32";
  if (text.endsWith("i")) return "i32";
  if (isHex ? /p.*f$/i.test(text) : text.endsWith("f")) return "f32";
  return (isHex ? /[.p]/i : /[.e]/).test(text) ? "float" : "int";
}

/** The scalar that a vector is made of, or the scalar itself. */
export const scalarOf = (type: string): string => /^vec\d<(.*)>$/.exec(type)?.[1] ?? type;

/** Whether these are floating-point numbers, or vectors of them. */
export const isFloat = (type: string): boolean => /^(f32|f16|float)$/.test(scalarOf(type));

/** A type with its aliases resolved. */
export function resolved(tree: WgslTree, type: string): string {
  const known = tree.aliases.get(type);
  if (known !== undefined) return resolved(tree, known);
  const parts = /^(\w+)<(.*)>$/.exec(type);
  if (!parts) return type;
  // What is behind an array's last comma is its length, and vectors have one part.
  const [first, ...others] = splitTypes(parts[2]);
  return `${parts[1]}<${[resolved(tree, first), ...others].join(",")}>`;
}

function splitTypes(text: string): string[] {
  const at = text.lastIndexOf(",");
  return at < 0 || text.lastIndexOf(">") > at ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

/** The type of an element of an array or a vector. */
export function elementOf(type: string): string {
  const array = /^array<(.*)>$/.exec(type);
  if (array) return splitTypes(array[1])[0];
  if (/^vec/.test(type)) return scalarOf(type);
  throw new Error(`Cannot take an element of ${type}: an array or a vector is needed`);
}

/** The type of a struct's field, or of some of a vector's components. */
export function memberOf(tree: WgslTree, type: string, name: string): string {
  const field = tree.structs.get(type)?.get(name);
  if (field !== undefined) return resolved(tree, field);
  if (!/^vec/.test(type) || !/^[xyzwrgba]{1,4}$/.test(name)) {
    throw new Error(`Cannot take ${name} of ${type}: it has none`);
  }
  return name.length === 1 ? scalarOf(type) : `vec${name.length}<${scalarOf(type)}>`;
}

/** What an operation on two types, or a built-in function of several, is made in: vectors before scalars, types before plain numbers. */
export function commonType(types: readonly string[]): string {
  const order = (type: string) => /^vec/.test(type) ? 0 : type === "float" ? 2 : type === "int" ? 3 : 1;
  return [...types].sort((a, b) => order(a) - order(b))[0];
}

/** The type that a call of a built-in function gives; undefined where there is none of that name. */
export function typeOfBuiltin(name: string, types: readonly string[]): string | undefined {
  // The condition of `select` is a truth value.
  if (AS_ARGUMENTS.has(name)) return commonType(name === "select" ? types.slice(0, 2) : types);
  if (AS_SCALAR.has(name)) return scalarOf(commonType(types));
  return OWN[name];
}
