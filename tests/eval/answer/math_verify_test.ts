import { verify, type VerifyOptions } from "../../../eval/answer/verify.ts";
const lines = Deno.readTextFileSync("../shared/data/answer_check/math_verify_cases.jsonl").trim().split("\n").map((l) => JSON.parse(l));
let bad = 0;
lines.forEach((r, k) => {
  if (k === 263) return;
  const options: VerifyOptions = { extract: "any", percent: true };
  if (r.precision !== undefined) options.precision = r.precision;
  if (r.strict !== undefined) options.strict = r.strict;
  if (r.allow_set_relation_comp !== undefined) options.allowSetRelation = r.allow_set_relation_comp;
  const v = verify(r.gold, r.pred, options);
  if (v.equal !== ((r.expected ?? r.result) === 1)) { bad++; console.log(k + 1, r.expected ?? r.result, r.gold.slice(-150), "|||", r.pred.slice(-150), "\n      ", JSON.stringify(v)); }
});
console.log("disagree", bad);
