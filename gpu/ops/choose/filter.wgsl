// Shuts tokens out before one is drawn: top-k, then top-p of softmax(z / tau) over what is left, then min-p (the order of
// Hugging Face). z [rows, ldz], columns below `vocab` real; what is shut out becomes -3e38. One workgroup a row.
// Thresholds are found on keys, whole numbers in the order of the floats, two bits at a time from the highest: 16 passes each.
struct Params { rows: u32, vocab: u32, ldz: u32, tau: f32, topK: u32, topP: f32, minP: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> z: array<f32>;
const LANES = 256u;
var<workgroup> tops: array<f32, LANES>;
var<workgroup> counts: array<vec3<u32>, LANES>;
var<workgroup> masses: array<vec3<f32>, LANES>;
fn keyOf(value: f32) -> u32 {
  let bits = bitcast<u32>(value);
  if (value == 0.0) { return 0x80000000u; } // -0 ties with 0
  return select(bits | 0x80000000u, ~bits, (bits >> 31u) == 1u);
}
// Next two bits of a threshold: the largest step whose candidate still passes.
fn steps(passes: vec3<bool>) -> u32 { return select(select(select(0u, 1u, passes.x), 2u, passes.y), 3u, passes.z); }
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = wg.y * n.x + wg.x;
  if (row >= p.rows) { return; }
  let base = row * p.ldz;
  var top = -3.0e38;
  for (var c = lane; c < p.vocab; c += LANES) { top = max(top, z[base + c]); }
  tops[lane] = top;
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { tops[lane] = max(tops[lane], tops[lane + half]); }
  }
  workgroupBarrier();
  top = tops[0];

  // The largest key that at least topK tokens reach: ties of the last one stay.
  var least = 0u;
  if (p.topK > 0u && p.topK < p.vocab) {
    for (var i = 0u; i < 16u; i++) {
      let bit = 1u << (30u - 2u * i);
      var count = vec3<u32>();
      for (var c = lane; c < p.vocab; c += LANES) {
        let key = keyOf(z[base + c]);
        count += select(vec3<u32>(), vec3<u32>(1u), vec3<u32>(key) >= vec3<u32>(least + bit, least + 2u * bit, least + 3u * bit));
      }
      counts[lane] = count;
      for (var half = LANES / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (lane < half) { counts[lane] += counts[lane + half]; }
      }
      workgroupBarrier();
      least += bit * steps(counts[0] >= vec3<u32>(p.topK));
      workgroupBarrier();
    }
  }

  // The largest key at and above which the share topP of what is left lies; the top token always stays.
  if (p.topP < 1.0) {
    var nucleus = 0u;
    var goal = 0.0;
    for (var i = 0u; i < 17u; i++) {
      // The first iteration takes the whole.
      let bit = select(1u << (32u - 2u * i), 0u, i == 0u);
      var mass = vec3<f32>();
      for (var c = lane; c < p.vocab; c += LANES) {
        let value = z[base + c];
        let key = keyOf(value);
        let above = vec3<u32>(key) >= vec3<u32>(nucleus + bit, nucleus + 2u * bit, nucleus + 3u * bit);
        if (key >= least && above.x) { mass += select(vec3<f32>(), vec3<f32>(exp((value - top) / p.tau)), above); }
      }
      masses[lane] = mass;
      for (var half = LANES / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (lane < half) { masses[lane] += masses[lane + half]; }
      }
      workgroupBarrier();
      if (i == 0u) { goal = p.topP * masses[0].x; } else { nucleus += bit * steps(masses[0] >= vec3<f32>(goal)); }
      workgroupBarrier();
    }
    least = min(max(least, nucleus), keyOf(top));
  }

  for (var c = lane; c < p.vocab; c += LANES) {
    let value = z[base + c];
    if (keyOf(value) < least || exp((value - top) / p.tau) < p.minP) { z[base + c] = -3.0e38; }
  }
}
