import type { Gpu } from "../../gpu.ts";
import { grid, type KernelSource, run } from "../../kernel.ts";
import { type RandomKey, randomSource } from "../../random.ts";
import { asMatrix, expectShape, type Tensor } from "../../tensor.ts";
import { vocabularyKernel, vocabularyLanes } from "../wgsl/vocabulary.ts";
import code from "./choose.wgsl" with { type: "text" };
import scalarCode from "./choose_scalar.wgsl" with { type: "text" };
import u64Code from "./choose_u64.wgsl" with { type: "text" };

/** What a step does with the logits. */
export type Choice = "greedy" | "sample" | "mixture";

/** Where a step's results go: column `column` of tokens u32 [rows, columns] and stats f32 [rows, columns, 4]. */
export interface StepRecord {
  /** u32 [rows, columns]. */
  tokens: Tensor;
  /** [rows, columns, 4]. */
  stats: Tensor;
  /** The step's place. */
  column: number;
}

/** What a kernel does with each row after its choice, in the same dispatch: by the time of its own it would cost as much as the choice. */
export interface Further {
  /** Names the kernel. */
  name: string;
  /** Further fields of its `struct Params`: ` name: type,` each. */
  fields: string;
  /** WGSL of `further(row, base, member, live)`; its bindings follow those of the choice, from {@link FIRST_FURTHER} on. */
  code: string;
  /** What its bindings hold. */
  tensors: readonly Tensor[];
  /** Values of its fields. */
  params: Record<string, number>;
}

/** The first binding that is free for {@link Further}. */
export const FIRST_FURTHER = 6;

const NOTHING_FURTHER: Further = {
  name: "choose",
  fields: "",
  code: "fn further(row: u32, base: u32, member: u32, live: bool) {}",
  tensors: [],
  params: {},
};

/**
 * Chooses each row's token: the most probable, or one drawn at temperature tau by a single uniform number; or turns
 * the logits z [rows, width] into mixture weights softmax(z / tau) in place and takes the most probable as shadow.
 * @param info u32 [rows, 4]: (row, rollout, _, position), the row of the record, position counted `shift` further
 * @param vocab columns that are real tokens: the rest are never chosen and weigh 0
 */
export function choose(
  gpu: Gpu,
  choice: Choice,
  z: Tensor,
  vocab: number,
  tau: number,
  info: Tensor,
  shift: number,
  record: StepRecord,
  chosen: Tensor,
  key: RandomKey,
  further = NOTHING_FURTHER,
): void {
  const { rows, cols: ldz } = asMatrix(z);
  expectShape("choose", info, [rows, 4]);
  expectShape("choose", chosen, [rows]);
  const { source, rowsEach } = kernelFor(gpu, vocab, ldz, further);
  run(
    gpu,
    source,
    [z, info, record.tokens, record.stats, chosen, ...further.tensors],
    {
      rows,
      vocab,
      ldz,
      mode: ["greedy", "sample", "mixture"].indexOf(choice),
      tau,
      columns: record.tokens.shape[1],
      column: record.column,
      shift,
      ...key,
      ...further.params,
    },
    grid(Math.ceil(rows / rowsEach)),
  );
}

/** The kernel, and the rows of one workgroup: on software devices loads and stores of 32 bytes, where rows begin at such addresses. */
function kernelFor(
  gpu: Gpu,
  vocab: number,
  ldz: number,
  { name, fields, code: further }: Further,
): { source: KernelSource; rowsEach: number } {
  const u64 = gpu.matmulFamily !== "tile" && gpu.u64Loads && ldz % 8 === 0;
  // With u64 eight lanes an invocation: where that is a whole row, nothing is shared, and a subgroup takes as many rows as it has lanes.
  const members = vocabularyLanes(vocab) / (u64 ? 8 : 1);
  const rowsEach = members === 1 ? gpu.subgroupSize : 1;
  const text = () => {
    const barrier = `fn barrier() { ${members === 1 ? "" : "workgroupBarrier();"} }`;
    const constants = `const MEMBERS = ${members}u;\nconst ROWS = ${rowsEach}u;\n${barrier}\n`;
    return constants + randomSource + (code + (u64 ? u64Code : scalarCode) + further)
      .replace("MORE_FIELDS", fields)
      .replaceAll("LANE_MEMORY", members === 1 ? "private" : "workgroup");
  };
  return { source: vocabularyKernel(u64 ? `${name}_u64` : name, vocab, text), rowsEach };
}
