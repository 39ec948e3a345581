import { warnOnce } from "../../gpu/warn_once.ts";
import type { TensorFile } from "../formats/tensor_file.ts";
import type { ModelConfig } from "../transformer/config.ts";

const EMBEDDING = "model.embed_tokens.weight";
const HEAD = "lm_head.weight";

/**
 * Decides whether the LM head is the embedding, by what the file has, as transformers 5 does: of a model that is said to be tied, a
 * head of the same numbers is the embedding, one of other numbers is a head of its own, and where only one of the two is there,
 * it is both. Whatever opens, describes or exports a model goes by the shape that this returns.
 *
 * @param weights under Hugging Face's names
 * @param where what messages call the model
 * @param isStated whether the model's files say that it is tied, or untied. GGUF does not, and llama.cpp's converter writes a tied
 * head that stands in the model's files, too: there an equal one is tied, another is worth no warning
 */
export function settleHead(
  config: ModelConfig,
  weights: TensorFile,
  where: string,
  isStated = true,
): { config: ModelConfig; weights: TensorFile } {
  if (isStated && !config.tied || !weights.tensors.has(HEAD)) return { config, weights };
  if (!weights.tensors.has(EMBEDDING)) return { config, weights: headAsEmbedding(weights) };
  if (areEqual(weights)) return { config: { ...config, tied: true }, weights };
  if (isStated) {
    warnOnce(
      `${where} is said to have tied embeddings, but its ${HEAD} differs from ${EMBEDDING}: the head is used as it is ` +
        "(tie_word_embeddings: false in config.json says so)",
    );
  }
  return { config: { ...config, tied: false }, weights };
}

function headAsEmbedding(weights: TensorFile): TensorFile {
  const tensors = new Map(
    [...weights.tensors].map(([name, entry]) => [name === HEAD ? EMBEDDING : name, entry]),
  );
  const inFile = (name: string) => name === EMBEDDING ? HEAD : name;
  const { readStored } = weights;
  return {
    ...weights,
    tensors,
    read: (name, from, out) => weights.read(inFile(name), from, out),
    ...(readStored ? { readStored: (name, row, out) => readStored(inFile(name), row, out) } : {}),
  };
}

// 4 Mi elements at most; heads of their own differ in the first few.
const PIECES = [4096, 4 * 1024 * 1024];

/** Whether head and embedding hold the same numbers, whatever types they are stored as; NaN is equal to none. */
function areEqual(weights: TensorFile): boolean {
  const [embedding, head] = [EMBEDDING, HEAD].map((name) => weights.tensors.get(name)!);
  if (embedding.shape.join() !== head.shape.join()) return false;
  const { elements } = embedding;
  for (let from = 0, piece = PIECES[0]; from < elements; from += piece, piece = PIECES[1]) {
    const count = Math.min(piece, elements - from);
    const [ours, theirs] = [new Float32Array(count), new Float32Array(count)];
    weights.read(EMBEDDING, from, ours);
    weights.read(HEAD, from, theirs);
    for (let i = 0; i < count; i++) if (ours[i] !== theirs[i]) return false;
  }
  return true;
}
