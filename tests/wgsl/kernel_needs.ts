/** What a kernel's text asks of a device. */
export interface KernelNeeds {
  /** Invocations of a workgroup. */
  threads: number;
  /** Bytes of workgroup memory. */
  bytes: number;
  /** Storage bindings. */
  storages: number;
  /** Names of those bound to be written that the text never writes. */
  neverWritten: string[];
}

const BYTES: Record<string, number> = { f32: 4, u32: 4, i32: 4, "vec2<f32>": 8, "vec2<u32>": 8 };
for (const type of ["f32", "u32"]) Object.assign(BYTES, { [`vec3<${type}>`]: 16, [`vec4<${type}>`]: 16 });

/** Reads a text's needs, as it declares them. */
export function kernelNeeds(code: string): KernelNeeds {
  const text = code.replace(/\/\/.*/g, "");
  const constants = new Map(
    [...text.matchAll(/const (\w+) = ([\w* /]+);/g)].map(([, name, value]) => [name, value]),
  );
  const numberOf = (value: string): number =>
    value.split("*").reduce((product, factor) => {
      const known = constants.get(factor.trim());
      return product * (known === undefined ? Number(factor.trim().replace(/u$/, "")) : numberOf(known));
    }, 1);
  const bytesOf = (type: string): number => {
    const array = /^array<(.*),\s*([^,]+)>$/.exec(type);
    if (array) return bytesOf(array[1].trim()) * numberOf(array[2]);
    const fields = new RegExp(`struct ${type} \\{([^}]*)\\}`).exec(text)?.[1];
    if (fields === undefined) return BYTES[type] ?? NaN;
    const sizes = [...fields.matchAll(/:\s*([^,}]+)/g)].map(([, of]) => bytesOf(of.trim()));
    const align = Math.max(...sizes);
    return Math.ceil(sizes.reduce((sum, size) => sum + size, 0) / align) * align;
  };
  const written = [...text.matchAll(/var<storage, read_write> (\w+)/g)].map(([, name]) => name);
  return {
    threads: numberOf(/@workgroup_size\(([^)]+)\)/.exec(text)![1]),
    bytes: [...text.matchAll(/var<workgroup> \w+: ([^;]+);/g)].reduce(
      (sum, [, type]) => sum + bytesOf(type),
      0,
    ),
    storages: [...text.matchAll(/var<storage/g)].length,
    neverWritten: written.filter((name) => !writes(text, name)),
  };
}

/** Whether a text assigns to an element of an array, or gives it to an atomic operation. */
function writes(text: string, name: string): boolean {
  for (const { index } of text.matchAll(new RegExp(`\\b${name}\\[`, "g"))) {
    if (text[index - 1] === "&") return true;
    let at = index + name.length;
    // Past the index, and what is chosen of the element.
    for (let depth = 0; at < text.length; at++) {
      if (text[at] === "[") depth++;
      if (text[at] === "]" && --depth === 0 && text[at + 1] !== "[") break;
    }
    if (/^\](\.\w+)?\s*([-+*/|&^%]|<<|>>)?=[^=]/.test(text.slice(at, at + 16))) return true;
  }
  return false;
}
