/** A kernel's text as a tree: as much of WGSL as the project's kernels use. */
export interface WgslTree {
  aliases: Map<string, string>;
  structs: Map<string, Map<string, string>>;
  /** Those outside functions, constants among them. */
  variables: Extract<Statement, { is: "declare" }>[];
  functions: Map<string, WgslFunction>;
}

/** A function with its parameters' types, types being as they are written, without blanks. */
export interface WgslFunction {
  name: string;
  parameters: { name: string; type: string }[];
  result?: string;
  body: Statement[];
}

/** From where to where something stands in the text. */
export interface Span {
  start: number;
  end: number;
}

/** An expression; parentheses have done their work. */
export type Expression =
  & Span
  & (
    | { is: "number"; text: string }
    | { is: "name"; name: string }
    | { is: "call"; name: string; args: Expression[] }
    | { is: "member"; of: Expression; name: string }
    | { is: "index"; of: Expression; at: Expression }
    | { is: "unary"; sign: string; of: Expression }
    | { is: "binary"; sign: string; left: Expression; right: Expression }
  );

/** A statement. `x += y` is an assignment of the binary expression x + y. */
export type Statement =
  | { is: "declare"; word: string; space?: string; name: string; type?: string; value?: Expression }
  | { is: "assign"; target: Expression; value: Expression }
  | { is: "call"; value: Expression }
  | { is: "if"; condition: Expression; then: Statement[]; otherwise: Statement[] }
  | { is: "loop"; condition?: Expression; body: Statement[]; step: Statement[] }
  | { is: "block"; body: Statement[] }
  | { is: "return"; value?: Expression }
  | { is: "leave" };
