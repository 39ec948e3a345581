// Noise on the k largest logits v: v~ = v + sigma e, sigma = scale times their root mean square, e standard normal by token; weights
// softmax(v~ / tau). score 1: d ln pi / dv of the density of the differences of v~, which these weights are a function of:
// (e_j - mean e) / sigma, with sigma taken for a constant, a surrogate; 2: and of sigma itself, (sum (e - mean e)^2 - (k - 1)) v_j / |v|^2
// more. random 0: e = 0. See few_step.wgsl.
fn weigh(who: vec4<u32>, member: u32) {
  let k = f32(p.k);
  // The weights are still the logits.
  var square = 0.0;
  for (var j = 0u; j < p.k; j++) { square = fma(few_weight[j], few_weight[j], square); }
  square = max(square, 1e-30);
  let sigma = p.scale * sqrt(square / k);
  for (var j = member; j < p.k; j += MEMBERS) {
    few_score[j] = 0.0;
    if (p.random == 1u) { few_score[j] = gaussian(words(who, j, 0u).xy); }
  }
  let mean = totalScore() / k;
  var excess = 1.0 - k;
  for (var j = 0u; j < p.k; j++) { excess = fma(few_score[j] - mean, few_score[j] - mean, excess); }
  if (p.score != 2u) { excess = 0.0; }
  barrier();
  for (var j = member; j < p.k; j += MEMBERS) {
    let e = few_score[j];
    let v = few_weight[j];
    few_weight[j] = fma(sigma, e, v);
    if (p.score != 0u) { few_score[j] = (e - mean) / sigma + excess * v / square; }
  }
  let all = normaliser(p.tau);
  for (var j = member; j < p.k; j += MEMBERS) { few_weight[j] = exp((few_weight[j] - all.x) / p.tau - all.y); }
}
