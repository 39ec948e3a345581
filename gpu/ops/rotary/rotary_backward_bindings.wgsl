// Arrays of the backward: dq [rows, heads hd]; dk, dv [keys, kvHeads hd]; rowMeta [rows, 4]; table [positions, hd / 2, 2];
// dqkv [rows, (heads + 2 kvHeads) hd]. V and T are the elements of rotary_backward.wgsl, or vec8 (rotary_vec8.ts).
struct Params { rows: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> dq: array<V>;
@group(0) @binding(2) var<storage, read> dk: array<V>;
@group(0) @binding(3) var<storage, read> dv: array<V>;
@group(0) @binding(4) var<storage, read> rowMeta: array<vec4<u32>>;
@group(0) @binding(5) var<storage, read> table: array<T>;
@group(0) @binding(6) var<storage, read_write> dqkv: array<V>;
