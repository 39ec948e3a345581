/** Texts that name a set: `all real numbers`, `no solution`. */
import { apply, constant, type Node, number, symbol } from "../node.ts";
import { rational } from "../rational.ts";

const zero = number(rational(0n));
const infinite = constant("infinity");
const interval = (open: "(" | "[", low: Node, high: Node): Node => ({
  kind: "tuple",
  open,
  close: ")",
  items: [low, high],
});

const ALL = "(?:(?:the )?set of )?(?:(?:all|any|every|each|the)(?: of)?(?: the)? )*";
const NUMBERS = "(?: numbers?| values?)?(?: (?:of |for )?[a-z])?";

/** Patterns over lower-case words; the first that fits counts. */
const SETS: [RegExp, Node][] = [
  [new RegExp(`^${ALL}reals?${NUMBERS}$`), symbol("mathbb{R}")],
  [new RegExp(`^${ALL}integers?(?: values?)?$`), symbol("mathbb{Z}")],
  [new RegExp(`^${ALL}positive reals?${NUMBERS}$`), interval("(", zero, infinite)],
  [new RegExp(`^${ALL}non-?negative reals?${NUMBERS}$`), interval("[", zero, infinite)],
  [new RegExp(`^${ALL}negative reals?${NUMBERS}$`), interval("(", apply("negate", infinite), zero)],
  [
    /^(?:there (?:is|are|exists?) )?(?:no (?:real |valid |such )?(?:solutions?|roots?|values?|answers?|zeros|numbers?)(?: exists?)?|none)$/,
    { kind: "set", items: [] },
  ],
  [/^(?:there (?:is|are) )?no such (?:[a-z]|numbers?|values?)(?: exists?)?$/, { kind: "set", items: [] }],
  [/^(?:the )?(?:empty|null) set$/, { kind: "set", items: [] }],
];

/** The set that a text names, or null. */
export function setOfText(text: string): Node | null {
  const words = text.toLowerCase().replace(/[.,!$()]/g, " ").replace(/\s+/g, " ").trim();
  return SETS.find(([pattern]) => pattern.test(words))?.[1] ?? null;
}
