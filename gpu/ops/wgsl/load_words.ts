import { lines, range, xyzw } from "./text.ts";

/** The WGSL type of an array that is loaded `words` words at a time; `u64`: as 64-bit words. */
export function wordArray(words: number, u64: boolean): string {
  const parts = u64 && words > 1 ? words / 2 : words;
  const scalar = u64 && words > 1 ? "u64" : "u32";
  return `array<${parts === 1 ? scalar : `vec${parts}<${scalar}>`}>`;
}

/**
 * WGSL that loads `count` words from address `at`, counted in loads of `unit` words, and an expression for each word (u32).
 * On the software device a load costs much the same whether it takes 4 bytes or 32, and the latter only as 64-bit words.
 */
export function loadWords(
  name: string,
  array: string,
  at: string,
  count: number,
  unit: number,
  u64: boolean,
): { text: string; words: string[] } {
  const pairs = u64 && unit > 1;
  const parts = pairs ? unit / 2 : unit;
  const words: string[] = [];
  const text = lines(count / unit, (l) => {
    const loaded = `${name}l${l}`;
    const part = (i: number) => parts === 1 ? loaded : `${loaded}.${xyzw[i]}`;
    const load = `    let ${loaded} = ${array}[${at}${l > 0 ? ` + ${l}u` : ""}];`;
    if (!pairs) {
      words.push(...range(parts).map(part));
      return load;
    }
    const split = range(parts).map((i) => {
      const [low, high] = [`${name}w${words.length}`, `${name}w${words.length + 1}`];
      words.push(low, high);
      return ` let ${low} = u32(${part(i)}); let ${high} = u32(${part(i)} >> 32u);`;
    });
    return load + split.join("");
  });
  return { text, words };
}
