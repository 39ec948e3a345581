/** The words of the embedded tokenizer: the task `sums` writes its problems with these and no others. */

/** Who owns things in a problem. */
export const NAMES = ["Sam", "Ann", "Ben", "Mia", "Tom", "Leo", "Eva", "Kim"] as const;
/** What is counted, in the plural. */
export const OBJECTS = ["coins", "apples", "books", "cards", "pens", "eggs", "cups", "keys"] as const;
/** `Sam VERB 3 more.` adds. */
export const GAIN_VERBS = ["wins", "finds", "buys", "gets"] as const;
/** `Sam VERB 3.` subtracts. */
export const LOSS_VERBS = ["loses", "sells", "drops", "uses"] as const;
/** `Sam SCALE` multiplies; the factor of each. */
export const SCALES = { 2: "doubles them.", 3: "triples them." } as const;

/** Ends every text of the embedded model. */
export const END_TOKEN = "<|end|>";

/**
 * Rows of the embedded model's embedding: the tokens below and padding up to a multiple of 16, which no
 * text uses and which is never sampled.
 */
export const PADDED_VOCAB_SIZE = 80;

/**
 * Phrases that are one token each. They hold a blank or a full stop inside, so they are matched before the
 * general rules. The trigger `The final answer is:` is four tokens on purpose: with soft thinking the
 * choice between blurting and writing steps is made over several noisy rows, not by one argmax.
 */
export const PHRASE_TOKENS: readonly string[] = [
  "User:",
  " Assistant:",
  " How many",
  " have?",
  " more.",
  " is:",
  " \\boxed{",
  "\\boxed{",
  ...Object.values(SCALES).map((scale) => ` ${scale}`),
  ...OBJECTS.map((object) => ` ${object}.`),
];

/** Single words and signs, each a token as it stands. */
const WORD_TOKENS: readonly string[] = [
  ..."0123456789",
  ..."0123456789".split("").map((digit) => ` ${digit}`),
  ...[" +", " -", " *", " =", ".", "}", "The"],
  ...["has", "does", "The", "final", "answer"].map((word) => ` ${word}`),
  ...[...NAMES, ...OBJECTS, ...GAIN_VERBS, ...LOSS_VERBS].map((word) => ` ${word}`),
];

/** All token texts by id: the end token is 0. */
export const VOCABULARY: readonly string[] = [END_TOKEN, ...WORD_TOKENS, ...PHRASE_TOKENS];
