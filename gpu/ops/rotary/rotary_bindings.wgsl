// Arrays of the forward rotary positions: qkv [rows, (heads + 2 kvHeads) hd]; rowMeta [rows, 4]; table [positions, hd / 2, 2];
// q [rows, heads hd]; k, v [keys, kvHeads hd]. V and T are the elements of rotary.wgsl, or vec8 (rotary_vec8.ts).
struct Params { rows: u32, shift: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> qkv: array<V>;
@group(0) @binding(2) var<storage, read> rowMeta: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> table: array<T>;
@group(0) @binding(4) var<storage, read_write> q: array<V>;
@group(0) @binding(5) var<storage, read_write> k: array<V>;
@group(0) @binding(6) var<storage, read_write> v: array<V>;
