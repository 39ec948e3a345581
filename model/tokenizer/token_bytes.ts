/** What a tokenizer's tokens are in bytes, where that does not depend on their neighbours. */
interface TokenBytes {
  /** By id, special tokens empty. */
  bytes: Uint8Array[];
  /** A text loses its leading blank; apart from that, decoding is plain concatenation. */
  dropsFirstBlank: boolean;
}

interface Step {
  type: string;
  decoders?: Step[];
  pattern?: { String?: string };
  content?: string;
  start?: number;
  stop?: number;
  prepend_scheme?: string;
  replacement?: string;
}

interface Definition {
  decoder?: Step | null;
  model?: { vocab?: Record<string, number> | [string, number][] };
  added_tokens?: { id: number; content: string; special?: boolean }[];
}

/**
 * The bytes of every token, found from the decoder that tokenizer.json declares: byte-level BPE (Llama 3,
 * Qwen, SmolLM2), sentencepiece with byte fallback (Llama 2), or plain concatenation (the embedded model).
 *
 * @param definition the parsed tokenizer.json
 * @param config the parsed tokenizer_config.json
 * @returns undefined if the decoder looks at neighbouring tokens, so that only whole texts can be decoded
 */
export function tokenByteTable(
  definition: Record<string, unknown>,
  config: Record<string, unknown>,
): TokenBytes | undefined {
  const { decoder, model, added_tokens = [] } = definition as Definition;
  const toBytes = decoder ? tokenDecoder(decoder) : undefined;
  if (!toBytes) return undefined;
  const vocab = model?.vocab ?? {};
  const bytes: Uint8Array[] = [];
  if (Array.isArray(vocab)) vocab.forEach(([text], id) => bytes[id] = toBytes.decode(text));
  else for (const [text, id] of Object.entries(vocab)) bytes[id] = toBytes.decode(text);
  const alsoSpecial = config.additional_special_tokens;
  for (const { id, content, special } of added_tokens) {
    const isSpecial = special || (Array.isArray(alsoSpecial) && alsoSpecial.includes(content));
    bytes[id] = isSpecial ? new Uint8Array(0) : utf8.encode(content);
  }
  return { bytes, dropsFirstBlank: toBytes.dropsFirstBlank };
}

const utf8 = new TextEncoder();

interface TokenDecoder {
  decode: (text: string) => Uint8Array;
  dropsFirstBlank: boolean;
}

function tokenDecoder(decoder: Step): TokenDecoder | undefined {
  const steps = decoder.type === "Sequence" ? decoder.decoders ?? [] : [decoder];
  if (steps.length === 1 && steps[0].type === "ByteLevel") {
    return { decode: byteLevelBytes, dropsFirstBlank: false };
  }
  let dropsFirstBlank = false;
  let fuses = false;
  let fallsBackToBytes = false;
  const replacements: [string, string][] = [];
  for (const step of steps) {
    if (step.type === "Replace" && step.pattern?.String !== undefined) {
      replacements.push([step.pattern.String, step.content ?? ""]);
    } else if (step.type === "Metaspace") {
      replacements.push([step.replacement ?? "\u2581", " "]);
      dropsFirstBlank = step.prepend_scheme !== "never";
    } else if (step.type === "ByteFallback") {
      fallsBackToBytes = true;
    } else if (step.type === "Strip" && fuses && step.content === " " && step.start === 1 && !step.stop) {
      dropsFirstBlank = true;
    } else if (step.type === "Fuse") {
      fuses = true;
    } else {
      return undefined;
    }
  }
  const decode = (text: string) => {
    const byte = fallsBackToBytes ? /^<0x([0-9A-Fa-f]{2})>$/.exec(text) : null;
    if (byte) return Uint8Array.of(parseInt(byte[1], 16));
    return utf8.encode(replacements.reduce((t, [from, to]) => t.replaceAll(from, to), text));
  };
  return { decode, dropsFirstBlank };
}

/** Byte-level vocabularies write each byte as one printable character; this is the way back. */
const BYTE_OF_CHARACTER = byteOfCharacter();

function byteOfCharacter(): Map<string, number> {
  const map = new Map<string, number>();
  let next = 256;
  for (let byte = 0; byte < 256; byte++) {
    const isPrintable = (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
    map.set(String.fromCodePoint(isPrintable ? byte : next++), byte);
  }
  return map;
}

function byteLevelBytes(text: string): Uint8Array {
  const characters = [...text];
  const bytes = characters.map((character) => BYTE_OF_CHARACTER.get(character));
  // A token that was added to the vocabulary as plain text holds characters outside the byte alphabet.
  return bytes.includes(undefined) ? utf8.encode(text) : Uint8Array.from(bytes as number[]);
}
