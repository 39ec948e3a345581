import { defineCommand } from "../settings/define_command.ts";
import { describeForecast } from "./describe_forecast.ts";
import { forecastSettings } from "./forecast_settings.ts";
import { forecastUpdate } from "./forecast_update.ts";

/** `softcot forecast`: what training on many devices would take, by a model of an update's seconds. */
export const forecastCommand = defineCommand({
  description:
    `Tell what an update would take on so many devices: seconds, memory, and where more stop paying.

The model (docs/scaling.md) counts the work as training does, and divides it by rates: those of a card's data sheet, of which a \
share is assumed to be reached, or measured ones (--rates). Rollouts are as long as they may be, devices alike, and nothing \
overlaps. No device is opened. Without a model at hand the known shapes do, or its config.json.`,
  settings: forecastSettings,
  examples: [
    ["Llama 3.2 1B in full on 8 GPUs", "softcot forecast --learners 8"],
    [
      "8B on 64, moments shared out",
      "softcot forecast --model Llama-3.1-8B --learners 64 --shard-optimizer --link 50",
    ],
    [
      "An adapter by one learner, with seven GPUs that make rollouts",
      "softcot forecast --model Qwen3-8B --lora --workers 7",
    ],
    ["A machine that was measured", "softcot forecast --rates rates.json --model MODEL --learners 2"],
  ],
  async run(values, { print }) {
    const forecast = await forecastUpdate(values);
    print(forecast, () => describeForecast(forecast));
  },
});
