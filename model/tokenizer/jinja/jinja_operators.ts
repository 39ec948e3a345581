import {
  areEqual,
  compare,
  contains,
  grown,
  is,
  itemsOf,
  kindOf,
  listIn,
  make,
  MOST_TEXT,
  numberIn,
  str,
  textIn,
  type Value,
} from "./jinja_values.ts";

/** Items of a repeated list, characters of a repeated text. */
const LONGEST = 100_000;

const ORDERS: Readonly<Record<string, (order: number) => boolean>> = {
  "<": (order) => order < 0,
  "<=": (order) => order <= 0,
  ">": (order) => order > 0,
  ">=": (order) => order >= 0,
};

/**
 * Python's operators but `and` and `or`.
 *
 * @param leftNode what the left value was computed from: the library takes `1 < 2 < 3` for `(1 < 2) < 3`
 * @throws Error that says which values it does not take
 */
export function operate(
  sign: string,
  left: Value,
  right: Value,
  leftNode: { type: string; operator?: { value: string } },
): Value {
  if (sign === "~") return make.text(grown(str(left), str(right)));
  if (sign === "==") return make.bool(areEqual(left, right));
  if (sign === "!=") return make.bool(!areEqual(left, right));
  if (sign === "in") return make.bool(contains(right, left));
  if (sign === "not in") return make.bool(!contains(right, left));
  if (ORDERS[sign]) {
    if (leftNode.type === "BinaryExpression" && ORDERS[leftNode.operator?.value ?? ""]) {
      throw new Error(`chains of comparisons such as 1 < x < 3 are not read here, 1 < x and x < 3 is needed`);
    }
    return make.bool(ORDERS[sign](compare(left, right)));
  }
  if (is.number(left) && is.number(right)) return arithmetic(sign, left, right);
  if (sign === "+" && is.text(left) && is.text(right)) return make.text(grown(textIn(left), textIn(right)));
  if (sign === "+" && is.list(left) && is.list(right) && is.tuple(left) === is.tuple(right)) {
    const items = [...listIn(left), ...listIn(right)];
    return is.tuple(left) ? make.tuple(items) : make.list(items);
  }
  if (sign === "*" && is.int(right)) return repeated(left, numberIn(right));
  if (sign === "*" && is.int(left)) return repeated(right, numberIn(left));
  throw refuse(sign, left, right);
}

const refuse = (sign: string, left: Value, right: Value) =>
  new Error(`${sign} takes no ${kindOf(left)} and ${kindOf(right)}`);

function arithmetic(sign: string, left: Value, right: Value): Value {
  const [a, b] = [numberIn(left), numberIn(right)];
  const isFloat = is.float(left) || is.float(right);
  const number = (n: number) => isFloat ? make.float(n) : make.int(n);
  if (b === 0 && (sign === "/" || sign === "//" || sign === "%")) {
    throw new Error("a number is divided by zero");
  }
  switch (sign) {
    case "+":
      return number(a + b);
    case "-":
      return number(a - b);
    case "*":
      return number(a * b);
    case "/":
      return make.float(a / b);
    case "//":
      return number(Math.floor(a / b));
    case "%":
      return number(a - b * Math.floor(a / b));
    case "**":
      return power(a, b, isFloat);
  }
  throw refuse(sign, left, right);
}

function power(a: number, b: number, isFloat: boolean): Value {
  const result = a ** b;
  if (!Number.isFinite(result)) throw new Error(`${a} ** ${b} is no number that can be written`);
  return isFloat || b < 0 ? make.float(result) : make.int(result);
}

function repeated(value: Value, times: number): Value {
  const count = Math.max(0, times);
  if (is.text(value)) {
    if (textIn(value).length * count > MOST_TEXT) throw new Error("it makes a text that is too long");
    return make.text(textIn(value).repeat(count));
  }
  if (!is.list(value)) throw refuse("*", value, make.int(times));
  if (itemsOf(value).length * count > LONGEST) throw new Error("it makes a list that is too long");
  return make.list(Array.from({ length: count }, () => listIn(value)).flat());
}
