// out[target - base] += sum of source[list[i]], i from start to end ascending, for each segment (target, start, end, 0)
// whose target lies in base .. base + outRows. Targets are distinct: no two subgroups write one row. source, out [.., d].
struct Params { segments: u32, d: u32, outRows: u32, base: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> source: array<V>;
@group(0) @binding(2) var<storage, read> segments: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> list: array<u32>;
@group(0) @binding(4) var<storage, read_write> out: array<V>;
@compute @workgroup_size(S)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let width = p.d / W;
  let columns = (width + S - 1u) / S;
  let item = wg.y * n.x + wg.x;
  let c = item % columns * S + lane;
  if (item / columns >= p.segments || c >= width) { return; }
  let segment = segments[item / columns];
  if (segment.x < p.base || segment.x - p.base >= p.outRows) { return; }
  var sum = V();
  for (var i = segment.y; i < segment.z; i++) { sum += source[list[i] * width + c]; }
  out[(segment.x - p.base) * width + c] += sum;
}
