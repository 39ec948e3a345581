import { lines, range } from "../wgsl/text.ts";
import { loadWords, wordArray } from "../wgsl/load_words.ts";
import type { AttentionDevice, AttentionShape } from "./shape.ts";

/** How heads are loaded: by loads of `words` words, as wide as the device has them. */
export interface HeadLoads {
  subgroup: number;
  u64: boolean;
  words: number;
  /** Numbers of a head, and vectors of four. */
  dims: number;
  vec4s: number;
}

/** The widest loads for heads of this size. */
export function headLoads({ headDim }: AttentionShape, device: AttentionDevice): HeadLoads {
  const u64 = device.u64 && headDim % 8 === 0;
  return { subgroup: device.subgroup, u64, words: u64 ? 8 : 4, dims: headDim, vec4s: headDim / 4 };
}

/** The WGSL type of an array of heads that are so loaded. */
export const headArray = ({ words, u64 }: HeadLoads): string => wordArray(words, u64);

/** WGSL by which a lane loads a head for itself, as vectors `name`{index}. */
export function loadHead(
  name: string,
  array: string,
  head: string,
  { words, u64, dims, vec4s }: HeadLoads,
): string {
  const at = `${head} * ${dims / words}u`;
  const loaded = loadWords(`${name}_`, array, at, dims, words, u64);
  return `${loaded.text}\n` + lines(vec4s, (c) => {
    const parts = range(4).map((e) => `bitcast<f32>(${loaded.words[c * 4 + e]})`);
    return `    let ${name}${c} = vec4<f32>(${parts.join(", ")});`;
  });
}

/** Heads that a subgroup has loaded together: `value(i, d)` is number d of head i, in all lanes. */
export interface BroadcastHeads {
  load: string;
  value: (head: number, d: number) => string;
}

/**
 * Loads `count` heads, a piece of one a lane, and hands their numbers to all lanes by subgroupBroadcast.
 * `address` is a head's start, in heads; with `times` they are multiplied by it.
 */
export function broadcastHeads(
  name: string,
  array: string,
  count: number,
  { words: unit, subgroup, u64, dims }: HeadLoads,
  address: (head: string) => string,
  times?: string,
): BroadcastHeads {
  const perHead = dims / unit;
  const total = count * perHead;
  const load = lines(Math.ceil(total / subgroup), (l) => {
    const index = `${name}Index${l}`;
    const at = `(${address(`${index} / ${perHead}u`)}) * ${perHead}u + ${index} % ${perHead}u`;
    const { text, words } = loadWords(`${name}${l}_`, array, at, unit, unit, u64);
    return `    let ${index} = min(${l * subgroup}u + lane, ${total - 1}u);\n${text}\n` +
      words.map((word, e) =>
        `    let ${name}Lane${l}_${e} = bitcast<f32>(${word})${times ? ` * ${times}` : ""};`
      ).join("\n");
  });
  return {
    load,
    value(head, d) {
      const piece = head * perHead + Math.floor(d / unit);
      return `subgroupBroadcast(${name}Lane${Math.floor(piece / subgroup)}_${d % unit}, ${
        piece % subgroup
      }u)`;
    },
  };
}
