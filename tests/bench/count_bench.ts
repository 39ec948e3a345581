/**
 * Dispatches and full barriers a token and an update, for the shapes of models that need not be here: what `softcot bench --count`
 * says of a model that is. Counting needs no device and no quiet machine.
 *
 *     deno run -A tests/bench/count_bench.ts [--cards nvidia,amd,intel] [--weights f32] [--kernels] [--json]
 *
 * --kernels: how often each kernel runs.
 */
import { parseArgs } from "node:util";
import { countOnCards, countTable } from "../../cli/bench/count.ts";
import { CARDS } from "../../gpu/device/cards.ts";
import type { WeightType } from "../../gpu/matrix.ts";
import { MODEL_SHAPES } from "../support/model_shapes.ts";

const { values } = parseArgs({
  options: {
    cards: { type: "string", default: Object.keys(CARDS).join() },
    weights: { type: "string", default: "f32" },
    kernels: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
const cards = values.cards.split(",").map((name) => CARDS[name as keyof typeof CARDS]);
const counted = [];
for (const [model, config] of Object.entries(MODEL_SHAPES)) {
  counted.push({ model, cards: await countOnCards(config, values.weights as WeightType, cards) });
}
if (values.json) console.log(JSON.stringify(counted));
else {
  for (const { model, cards } of counted) {
    console.log(`${model}, weights ${values.weights}\n\n${countTable(cards)}\n`);
    if (!values.kernels) continue;
    for (const { device, works } of cards) {
      for (const { name, kernels } of works) console.log(device, name, kernels);
    }
  }
}
