// Arrays of the backward RMSNorm: x, dy, dx [rows, d]; weight [d]; rinv [rows]. V is a vec4 or a number (rms_norm_backward.wgsl),
// or a vec8 (rms_norm_vec8.ts).
@group(0) @binding(1) var<storage, read> x: array<V>;
@group(0) @binding(2) var<storage, read> weight: array<V>;
@group(0) @binding(3) var<storage, read> rinv: array<f32>;
@group(0) @binding(4) var<storage, read> dy: array<V>;
@group(0) @binding(5) var<storage, read_write> dx: array<V>;
