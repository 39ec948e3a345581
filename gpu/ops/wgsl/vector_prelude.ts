/**
 * The start of a kernel that works on vectors of four where the row width allows, and on scalars where not:
 * `V` is the element, `W` its width, `total` the sum of its lanes, `S` the lanes of a subgroup.
 */
export function vectorPrelude(vector: boolean, subgroup: number): string {
  return vector
    ? `alias V = vec4<f32>; const W = 4u; const S = ${subgroup}u;
fn total(v: V) -> f32 { return (v.x + v.y) + (v.z + v.w); }\n`
    : `alias V = f32; const W = 1u; const S = ${subgroup}u;
fn total(v: V) -> f32 { return v; }\n`;
}

/** Names the two variants of a kernel. */
export const vectorLabel = (name: string, vector: boolean): string => vector ? name : `${name}_scalar`;
