import project from "../../deno.json" with { type: "json" };
import type { Gpu } from "../../gpu/gpu.ts";
import type { FoundModel } from "../../model/files/find_model.ts";
import { countParams } from "../../model/transformer/params.ts";
import type { WeightForm } from "../../model/weights/weight_types.ts";
import { type GitState, gitState } from "./git_state.ts";

/** What ran: kept with every result. */
export interface Facts {
  model: { name: string; hash: string; parameters: number; weights: WeightForm; embeddingRms: number };
  device: { name: string; software: boolean; subgroupSize: number; matmulFamily: string };
  versions: { softcot: string; deno: string } & Partial<GitState>;
}

/** Model, device and versions of a result; reads the weights once more, for their hash. */
export function factsOf(gpu: Gpu, name: string, found: FoundModel): Facts {
  const { adapter: { name: device, software }, subgroupSize, matmulFamily } = gpu;
  const parameters = countParams(found.model.params);
  return {
    model: { name, hash: found.hash(), parameters, weights: found.weights, embeddingRms: found.embeddingRms },
    device: { name: device, software, subgroupSize, matmulFamily },
    versions: { softcot: project.version, deno: Deno.version.deno, ...gitState() },
  };
}
