// Arrays of the forward RMSNorm: x, out [rows, d]; weight [d]; rinv [rows]. V is a vec4 or a number (rms_norm.wgsl), or a vec8
// (rms_norm_vec8.ts).
@group(0) @binding(1) var<storage, read> x: array<V>;
@group(0) @binding(2) var<storage, read> weight: array<V>;
@group(0) @binding(3) var<storage, read_write> out: array<V>;
@group(0) @binding(4) var<storage, read_write> rinv: array<f32>;
