const NUMBER = [
  /0[xX][\da-fA-F]*\.?[\da-fA-F]*(?:[pP][+-]?\d+[fh]?)?[ui]?/,
  /\d+\.?\d*(?:[eE][+-]?\d+)?[uifh]?/,
  /\.\d+(?:[eE][+-]?\d+)?[fh]?/,
];
const SIGN = [/->/, /[-+*/%&|^]=/, /[=!<>]=/, /&&|\|\||\+\+|--|<<|>>/, /\S/];
const KEPT = [/[A-Za-z_]\w*/, ...NUMBER, ...SIGN].map(({ source }) => source).join("|");
// Blanks and comments are passed over.
const TOKEN = new RegExp(`\\s+|//.*|/\\*[^]*?\\*/|(${KEPT})`, "g");

interface Token {
  text: string;
  start: number;
}

/** A text in parts, and where it has been read up to. */
export class WgslReader {
  private readonly tokens: Token[] = [];
  private at = 0;

  constructor(readonly code: string) {
    for (const { 1: text, index } of code.matchAll(TOKEN)) if (text) this.tokens.push({ text, start: index });
  }

  get ended(): boolean {
    return this.at >= this.tokens.length;
  }
  /** The part that comes next, "" at the end. */
  get next(): string {
    return this.tokens[this.at]?.text ?? "";
  }
  /** Where it stands. */
  get start(): number {
    return this.tokens[this.at]?.start ?? this.code.length;
  }
  /** Where the last part ended. */
  get end(): number {
    const { text, start } = this.tokens[this.at - 1];
    return start + text.length;
  }

  take(): string {
    return this.tokens[this.at++]?.text ?? "";
  }

  takeIf(text: string): boolean {
    if (this.next !== text) return false;
    this.at++;
    return true;
  }

  expect(text: string): void {
    if (!this.takeIf(text)) throw this.error(`"${text}" is needed`);
  }
  /** ">>" closes two lists of types. */
  closeTypes(): void {
    if (this.next === ">>" || this.next === ">=") {
      const { text, start } = this.tokens[this.at];
      this.tokens.splice(this.at, 1, { text: ">", start }, { text: text.slice(1), start: start + 1 });
    }
    this.expect(">");
  }

  error(what: string): Error {
    const line = this.code.slice(0, this.start).split("\n").length;
    return new Error(`Cannot read WGSL at line ${line}: ${what}, "${this.next}" was found`);
  }
}
