import { type Card, CARDS } from "../../gpu/device/cards.ts";
import { openModelFiles } from "../../model/files/model_files.ts";
import type { ModelConfig } from "../../model/transformer/config.ts";
import type { WeightTypes } from "../../model/transformer/params.ts";
import { planWeights, type WeightForm } from "../../model/weights/weight_types.ts";
import { table } from "../terminal/table.ts";
import { type CountedWork, countWork } from "./count_work.ts";

/** What a model's work comes to on each card. */
export interface CountReport {
  model: { name: string; weights: WeightForm };
  cards: CountedCard[];
}

/** The counted works of one card. */
export interface CountedCard {
  /** What is played. */
  device: string;
  /** Lanes that its kernels are made for. */
  subgroupSize: number;
  works: CountedWork[];
}

/** Counts a model's work on cards that are not here. */
export async function count(name: string, weights: WeightForm): Promise<CountReport> {
  using files = openModelFiles(name);
  const { types } = planWeights(files.config, files.weights, weights, name);
  return { model: { name, weights }, cards: await countOnCards(files.config, types) };
}

/** The same of a shape. */
export async function countOnCards(
  config: ModelConfig,
  types?: WeightTypes,
  cards: readonly Card[] = Object.values(CARDS),
): Promise<CountedCard[]> {
  const counted: CountedCard[] = [];
  for (const card of cards) {
    const { adapter: { name: device }, subgroupSize } = card;
    counted.push({ device, subgroupSize, works: await countWork(card, config, types) });
  }
  return counted;
}

/** The report as people read it. */
export function describeCount({ model, cards }: CountReport): string {
  return [
    `model ${model.name} with weights ${model.weights}: dispatches and full barriers, counted without a device`,
    countTable(cards),
  ].join("\n\n");
}

/** One row for each card and work. */
export const countTable = (cards: readonly CountedCard[]): string =>
  table(
    cards.flatMap(({ device, subgroupSize, works }) =>
      works.map(({ name, dispatches, barriers, copies, layer }, i) => [
        i === 0 ? `${device}, ${subgroupSize} lanes` : "",
        name,
        shown(dispatches),
        shown(layer.dispatches),
        shown(barriers),
        shown(layer.barriers),
        shown(copies),
      ])
    ),
    {
      header: ["device", "for", "dispatches", "a layer", "barriers", "a layer", "copies"],
      align: ["left", "left", "right", "right", "right", "right", "right"],
    },
  );

/** What comes once in several tokens is a fraction. */
const shown = (count: number): string => count.toFixed(Number.isInteger(count) ? 0 : 1);
