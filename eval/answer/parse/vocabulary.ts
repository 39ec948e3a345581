/** The words and commands that answers are written with, each under one canonical name. */

/** LaTeX commands that mean the same as a shorter spelling: folded before anything is compared. */
export const COMMAND_ALIASES = new Map<string, string>(Object.entries({
  dfrac: "frac",
  tfrac: "frac",
  cfrac: "frac",
  dbinom: "binom",
  tbinom: "binom",
  lt: "<",
  gt: ">",
  le: "<=",
  leq: "<=",
  leqslant: "<=",
  leqq: "<=",
  ge: ">=",
  geq: ">=",
  geqslant: ">=",
  geqq: ">=",
  ne: "!=",
  neq: "!=",
  approx: "~",
  simeq: "~",
  doteq: "~",
  cdot: "*",
  times: "*",
  ast: "*",
  div: "/",
  colon: ":",
  lbrace: "\\{",
  rbrace: "\\}",
  lbrack: "[",
  rbrack: "]",
  lparen: "(",
  rparen: ")",
  vert: "|",
  lvert: "|",
  rvert: "|",
  mid: "|",
  land: "and",
  lor: "or",
  wedge: "and",
  vee: "or",
  to: "to",
  rightarrow: "to",
  longrightarrow: "to",
  mapsto: "to",
  equiv: "equiv",
  in: "in",
  notin: "notin",
  subset: "subset",
  subseteq: "subset",
  cup: "union",
  bigcup: "union",
  cap: "intersect",
  bigcap: "intersect",
  setminus: "setminus",
  smallsetminus: "setminus",
  backslash: "setminus",
  emptyset: "emptyset",
  varnothing: "emptyset",
  infty: "infinity",
  infin: "infinity",
  dotsc: "ldots",
  dotsb: "ldots",
  dots: "ldots",
  cdots: "ldots",
  dotsm: "ldots",
  degree: "deg",
  varepsilon: "epsilon",
  varphi: "phi",
  vartheta: "theta",
  lg: "log",
  arctg: "arctan",
  tg: "tan",
  ctg: "cot",
  cotg: "cot",
  cosec: "csc",
  arsinh: "arcsinh",
  arcosh: "arccosh",
  artanh: "arctanh",
  textdollar: "\\$",
  pounds: "£",
  euro: "€",
  percnt: "%",
  prime: "'",
}));

/** Commands that change the look alone: dropped, with nothing in their place. */
export const DROPPED_COMMANDS = new Set(
  ("left right middle bigl bigr Bigl Bigr biggl biggr Biggl Biggr big Big bigg Bigg displaystyle textstyle scriptstyle " +
    "limits nolimits mathstrut strut left. right. normalsize large Large small bf rm it").split(" "),
);

/** Commands that are mere space. */
export const SPACE_COMMANDS = new Set([
  "quad",
  "qquad",
  "enspace",
  "thinspace",
  "space",
  "hfill",
  "newline",
  "qquad",
]);

/** Spaces so wide that what stands on both sides is no product. */
export const WIDE_COMMANDS = new Set("quad qquad enspace hfill newline hspace phantom".split(" "));

/** Commands whose argument is a text. */
export const TEXT_COMMANDS = new Set(
  "text textbf textit textrm textsf texttt textnormal mbox hbox emph textsc textup".split(" "),
);

/** Commands that set letters in another face: `\mathrm{e}` is e, `\mathrm{cm}` a word. */
export const FACE_COMMANDS = new Set(
  "mathrm mathsf mathit mathtt operatorname rm boldsymbol mathbf bm mathnormal".split(" "),
);

/** Functions of one argument, by the name they are called in the tree. */
export const FUNCTIONS = new Set(
  ("sin cos tan cot sec csc sinh cosh tanh coth sech csch arcsin arccos arctan arccot arcsec arccsc arcsinh arccosh arctanh " +
    "ln log exp sqrt abs max min gcd lcm det deg arg sgn sign floor ceil").split(" "),
);

/** True for the commands that are known here: \\\\frac is one escaped too often, \\\\xy the end of a row. */
export const isCommandName = (word: string): boolean =>
  COMMAND_ALIASES.has(word) || DROPPED_COMMANDS.has(word) || SPACE_COMMANDS.has(word) ||
  TEXT_COMMANDS.has(word) ||
  FACE_COMMANDS.has(word) || FUNCTIONS.has(word) || GREEK.has(word) || DECORATIONS.has(word) ||
  OTHER_COMMANDS.has(word);

const OTHER_COMMANDS = new Set(
  ("frac binom pi infty boxed fbox pm mp circ angle triangle sum prod lfloor rfloor lceil rceil langle rangle end hline pmod bmod mod " +
    "ldots prime choose over int").split(" "),
);

/** Names of functions that take several arguments and no order. */
export const SYMMETRIC = new Set(["max", "min", "gcd", "lcm"]);

/** Greek letters as commands or words. */
export const GREEK = new Set(
  ("alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi rho sigma tau upsilon phi chi psi omega " +
    "Gamma Delta Theta Lambda Xi Sigma Upsilon Phi Psi Omega hbar ell Pi nabla partial aleph mho").split(" "),
);

/** Commands that decorate a letter: the decorated letter is a name of its own. */
export const DECORATIONS = new Set(
  "vec hat bar tilde dot ddot overline underline widehat widetilde overrightarrow mathbb mathcal mathfrak mathscr overarc wideparen"
    .split(" "),
);

/** Greek letters as single characters. */
const GREEK_LETTERS = Object.fromEntries(
  ("α alpha β beta γ gamma δ delta ε epsilon ϵ epsilon ζ zeta η eta θ theta ϑ theta ι iota κ kappa λ lambda μ mu µ mu ν nu ξ xi π pi ρ rho " +
    "σ sigma τ tau υ upsilon φ phi ϕ phi χ chi ψ psi ω omega Γ Gamma Δ Delta Θ Theta Λ Lambda Ξ Xi Π Pi Σ Sigma Φ Phi Ψ Psi Ω Omega")
    .split(" ").flatMap((letter, k, all) => k % 2 === 0 ? [[letter, `\\${all[k + 1]} `]] : []),
);

/** Single characters outside ASCII and the ASCII or LaTeX they stand for. */
export const UNICODE = new Map<string, string>(Object.entries({
  "−": "-",
  "–": "-",
  "—": "-",
  "×": "*",
  "·": "*",
  "⋅": "*",
  "÷": "/",
  "∕": "/",
  "≤": "<=",
  "⩽": "<=",
  "≥": ">=",
  "⩾": ">=",
  "≠": "!=",
  "≈": "\\approx ",
  "±": "\\pm ",
  "∓": "\\mp ",
  "∞": "\\infty ",
  "∪": "\\cup ",
  "∩": "\\cap ",
  "∈": "\\in ",
  "∅": "\\emptyset ",
  "√": "\\sqrt ",
  "∛": "\\sqrt[3]",
  "°": "^\\circ ",
  "º": "^\\circ ",
  "′": "'",
  "’": "'",
  "½": "\\frac{1}{2}",
  "⅓": "\\frac{1}{3}",
  "⅔": "\\frac{2}{3}",
  "¼": "\\frac{1}{4}",
  "¾": "\\frac{3}{4}",
  "⅕": "\\frac{1}{5}",
  "⅖": "\\frac{2}{5}",
  "⅗": "\\frac{3}{5}",
  "⅘": "\\frac{4}{5}",
  "⅙": "\\frac{1}{6}",
  "⅚": "\\frac{5}{6}",
  "⅛": "\\frac{1}{8}",
  "⅜": "\\frac{3}{8}",
  "⅝": "\\frac{5}{8}",
  "⅞": "\\frac{7}{8}",
  "ℝ": "\\mathbb{R}",
  ...GREEK_LETTERS,
  "ℤ": "\\mathbb{Z}",
  "ℕ": "\\mathbb{N}",
  "ℚ": "\\mathbb{Q}",
  "ℂ": "\\mathbb{C}",
  "∀": "\\forall ",
  "→": "\\to ",
  "⇒": "\\Rightarrow ",
  "∧": "\\land ",
  "∨": "\\lor ",
  "∖": "\\setminus ",
  "∉": "\\notin ",
  "⊂": "\\subset ",
  "⊆": "\\subseteq ",
  "≡": "\\equiv ",
  "Ø": "\\emptyset ",
  "∑": "\\sum ",
  "∏": "\\prod ",
  "…": "\\ldots ",
  "⌊": "\\lfloor ",
  "⌋": "\\rfloor ",
  "⌈": "\\lceil ",
  "⌉": "\\rceil ",
  "⟨": "\\langle ",
  "⟩": "\\rangle ",
  "∠": "\\angle ",
  "△": "\\triangle ",
  "∜": "\\sqrt[4]",
  "“": '"',
  "”": '"',
  "\u00a0": " ",
  "\u2009": " ",
  "\u202f": " ",
}));
