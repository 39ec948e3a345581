// The k largest numbers of a row, descending (equal ones by ascending column): few_ids and few_weight, columns and numbers, of which `logit` reads
// one. k is at most MOST_FEW and `vocab`. The MEMBERS invocations of a row have EACH lanes each, a lane the columns lane, lane + LANES, ...;
// `tops`, filled before, holds the largest of each lane that is not taken. Column j is for member j % MEMBERS.
const EACH = LANES / MEMBERS;
struct Offer { value: f32, column: u32 }
const NOTHING = Offer(-3.4e38, 0xffffffffu);
var<LANE_MEMORY> offers: array<Offer, MEMBERS>;
var<LANE_MEMORY> few_ids: array<u32, MOST_FEW>;
var<LANE_MEMORY> few_weight: array<f32, MOST_FEW>;
fn before(a: Offer, b: Offer) -> bool { return a.value > b.value || (a.value == b.value && a.column < b.column); }
/// The first of what the members offer.
fn bestOf(own: Offer, member: u32) -> Offer {
  offers[member] = own;
  for (var half = MEMBERS / 2u; half > 0u; half /= 2u) {
    barrier();
    if (member < half && before(offers[member + half], offers[member])) { offers[member] = offers[member + half]; }
  }
  barrier();
  let best = offers[0];
  barrier();
  return best;
}
fn bestOfLanes(member: u32) -> Offer {
  var best = NOTHING;
  for (var l = EACH * member; l < EACH * (member + 1u); l++) {
    let one = Offer(tops[l].first, tops[l].token);
    if (before(one, best)) { best = one; }
  }
  return best;
}
/// The best after `last` of a lane's columns, as far as they are this member's to look at: all members look through one lane.
fn bestAfter(last: Offer, lane: u32, base: u32, member: u32) -> Offer {
  var best = NOTHING;
  for (var c = lane + LANES * member; c < p.vocab; c += LANES * MEMBERS) {
    let one = Offer(logit(base + c), c);
    if (before(last, one) && before(one, best)) { best = one; }
  }
  return best;
}
fn takeLargest(base: u32, member: u32) {
  for (var j = 0u; j < p.k; j++) {
    let taken = bestOf(bestOfLanes(member), member);
    if (j % MEMBERS == member) {
      few_ids[j] = min(taken.column, p.vocab - 1u); // none is taken of logits that are no numbers
      few_weight[j] = taken.value;
    }
    if (j + 1u == p.k) { break; }
    let lane = taken.column % LANES;
    let following = bestOf(bestAfter(taken, lane, base, member), member);
    if (lane / EACH == member) { tops[lane] = Top(following.value, following.value, following.column); }
  }
}
