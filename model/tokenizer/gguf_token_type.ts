/** The types that GGUF gives its tokens; bytes are `<0x0A>` and the like. */
export const TokenType = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;
