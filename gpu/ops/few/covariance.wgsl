// Weights of a few tokens with the mean and eta^2 times the covariance of a drawn token: w = p^ + eta (sqrt(p^) e - p^ (sqrt(p^) . e)), e
// standard normal. score 1: that of the mean alone, (w - p^) / (tau eta^2), a surrogate; 2: the whole score,
// (t_j - p^_j sum t) / tau with t_j = (sqrt(p^_j) (1 - eta c) + eta e_j)^2 / (2 eta^2) - 1/2, c = sqrt(p^) . e. random 0: w = p^. See few_step.wgsl.
fn weigh(who: vec4<u32>, member: u32) {
  for (var j = member; j < p.k; j += MEMBERS) {
    few_score[j] = 0.0;
    if (p.random == 1u) { few_score[j] = gaussian(words(who, j, 0u).xy); }
    few_weight[j] = exp(0.5 * few_logp[j]);
  }
  barrier();
  var along = 0.0;
  for (var j = 0u; j < p.k; j++) { along = fma(few_weight[j], few_score[j], along); }
  barrier();
  for (var j = member; j < p.k; j += MEMBERS) {
    let root = few_weight[j];
    let e = few_score[j];
    let moved = fma(root, e, -(root * root * along));
    few_weight[j] = fma(root, root, p.eta * moved);
    let q = fma(root, fma(-p.eta, along, 1.0), p.eta * e);
    few_score[j] = select(moved / (p.tau * p.eta), q * q / (2.0 * p.eta * p.eta) - 0.5, p.score == 2u);
  }
  if (p.score != 2u) { return; }
  let sum = totalScore();
  for (var j = member; j < p.k; j += MEMBERS) { few_score[j] = fma(-exp(few_logp[j]), sum, few_score[j]) / p.tau; }
}
