// Philox4x32-10 (Salmon et al. 2011): counter-based, so that any draw can be derived again.
fn mulHigh(a: u32, b: u32) -> u32 {
  let al = a & 0xffffu; let ah = a >> 16u;
  let bl = b & 0xffffu; let bh = b >> 16u;
  let low = al * bl;
  let mid = ah * bl + (low >> 16u);
  let cross = al * bh + (mid & 0xffffu);
  return ah * bh + (mid >> 16u) + (cross >> 16u);
}
fn philox(counter: vec4<u32>, key: vec2<u32>) -> vec4<u32> {
  var c = counter;
  var k = key;
  for (var i = 0u; i < 10u; i++) {
    c = vec4<u32>(mulHigh(0xCD9E8D57u, c.z) ^ c.y ^ k.x, 0xCD9E8D57u * c.z, mulHigh(0xD2511F53u, c.x) ^ c.w ^ k.y, 0xD2511F53u * c.x);
    k += vec2<u32>(0x9E3779B9u, 0xBB67AE85u);
  }
  return c;
}
fn uniform01(word: u32) -> f32 { return (f32(word >> 8u) + 0.5) * 0x1p-24f; }
// Four standard normals by Box-Muller: dimensions 4 i .. 4 i + 3 for counter.x = i.
fn normal4(counter: vec4<u32>, key: vec2<u32>) -> vec4<f32> {
  let w = philox(counter, key);
  let r0 = sqrt(-2.0 * log(uniform01(w.x)));
  let r1 = sqrt(-2.0 * log(uniform01(w.z)));
  let a0 = 6.283185307179586f * uniform01(w.y);
  let a1 = 6.283185307179586f * uniform01(w.w);
  return vec4<f32>(r0 * cos(a0), r0 * sin(a0), r1 * cos(a1), r1 * sin(a1));
}
