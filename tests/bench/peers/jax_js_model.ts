import type { ModelConfig } from "../../../model/transformer/config.ts";
import type { Layout } from "./jax_js_layout.ts";

// The library is a dependency of this folder alone, and the main program's type check must not look for it: its objects
// have no types here. It counts references: `.ref` wherever an array is used again.
// deno-lint-ignore no-explicit-any
export type Arrays = any;

/** Weights of a block, in the order of `matricesOf`. */
const BLOCK = ["attentionNorm", "qkv", "attentionOut", "mlpNorm", "gateUp", "down"] as const;
type Block = Record<typeof BLOCK[number], Arrays>;

/** Shapes of all weights in the order of `matricesOf`: embedding, final norm, then block by block. */
export function weightShapes(config: ModelConfig): number[][] {
  const { vocabSize, hiddenSize: d, heads, kvHeads, headDim: hd, intermediateSize: f, layers } = config;
  const block = [[d], [(heads + 2 * kvHeads) * hd, d], [d, heads * hd], [d], [2 * f, d], [d, f]];
  return [[vocabSize, d], [d], ...Array.from({ length: layers }, () => block).flat()];
}

/** y = x W^T, the weights [outputs, inputs] as everywhere. */
const linear = (np: Arrays, x: Arrays, weight: Arrays) => np.einsum("ri,oi->ro", x, weight);

function rmsNorm(np: Arrays, x: Arrays, weight: Arrays, eps: number): Arrays {
  const square = np.mean(x.ref.mul(x.ref), -1, { keepdims: true });
  return x.mul(np.reciprocal(np.sqrt(square.add(eps)))).mul(weight);
}

/** x [rows, heads, hd] turned by its rows' positions: the halves change places by a view, not by a copy. */
function rotated(np: Arrays, x: Arrays, cos: Arrays, sin: Arrays): Arrays {
  const [rows, heads, hd] = x.shape;
  const swapped = np.flip(x.ref.reshape([rows, heads, 2, hd / 2]), 2).reshape([rows, heads, hd]);
  return x.mul(cos).add(swapped.mul(sin));
}

/** q [n, l, kv heads, queries of one, hd] over k, v [n, s, kv heads, hd] with a bias that broadcasts to the scores. */
function attended({ numpy: np, nn }: Arrays, q: Arrays, k: Arrays, v: Arrays, bias: Arrays): Arrays {
  const scale = 1 / Math.sqrt(q.shape[4]);
  const scores = np.einsum("nlkgh,nskh->nlkgs", q, k).mul(scale).add(bias);
  return np.einsum("nlkgs,nskh->nlkgh", nn.softmax(scores, -1), v);
}

/** Prompts over themselves, bins over their prompt and themselves: q [rows, heads, hd], k and v [rows, kv heads, hd]. */
function attention(jax: Arrays, layout: Layout, c: Arrays, q: Arrays, k: Arrays, v: Arrays): Arrays {
  const np = jax.numpy;
  const { prompts: B, promptRows: P, bins: N, binRows: T } = layout;
  const [rows, heads, hd] = q.shape;
  const kv = k.shape[1];
  const [qPrompt, qBins] = np.split(q, [B * P]);
  const split = (x: Arrays) => {
    const [prompt, bins] = np.split(x, [B * P]);
    const mine = prompt.reshape([B, P, kv, hd]);
    const shared = np.broadcastTo(mine.ref.reshape([B, 1, P, kv, hd]), [B, N / B, P, kv, hd]);
    const own = bins.reshape([N, T, kv, hd]);
    return { prompt: mine, all: np.concatenate([shared.reshape([N, P, kv, hd]), own], 1) };
  };
  const [keys, values] = [split(k), split(v)];
  const queries = (x: Arrays, n: number, l: number) => x.reshape([n, l, kv, heads / kv, hd]);
  const promptBias = c.promptBias.ref.reshape([1, P, 1, 1, P]);
  const binBias = c.binBias.ref.reshape([N, T, 1, 1, P + T]);
  const ofPrompts = attended(jax, queries(qPrompt, B, P), keys.prompt, values.prompt, promptBias);
  const ofBins = attended(jax, queries(qBins, N, T), keys.all, values.all, binBias);
  const flat = [ofPrompts.reshape([B * P, heads * hd]), ofBins.reshape([N * T, heads * hd])];
  return np.concatenate(flat, 0).reshape([rows, heads * hd]);
}

function block(
  jax: Arrays,
  config: ModelConfig,
  layout: Layout,
  c: Arrays,
  w: Block,
  input: Arrays,
): Arrays {
  const { numpy: np, nn } = jax;
  const { heads, kvHeads, headDim: hd, normEps, intermediateSize: f } = config;
  let x = input;
  const rows = x.shape[0];
  const qkv = linear(np, rmsNorm(np, x.ref, w.attentionNorm, normEps), w.qkv);
  const [q, k, v] = np.split(qkv, [heads * hd, (heads + kvHeads) * hd], 1);
  const turned = (part: Arrays, n: number) => rotated(np, part.reshape([rows, n, hd]), c.cos.ref, c.sin.ref);
  const mixed = attention(
    jax,
    layout,
    c,
    turned(q, heads),
    turned(k, kvHeads),
    v.reshape([rows, kvHeads, hd]),
  );
  x = x.add(linear(np, mixed, w.attentionOut));
  const gateUp = linear(np, rmsNorm(np, x.ref, w.mlpNorm, normEps), w.gateUp);
  const [gate, up] = np.split(gateUp, [f], 1);
  return x.add(linear(np, nn.silu(gate).mul(up), w.down));
}

/**
 * The objective's two parts: of thinking, sum over rows of direction . mixture, whose gradient is that of the Gaussian
 * actions; and of the answers' tokens. With p = softmax(z / tau), direction . (p E) is taken as p . (E direction): the
 * backward pass then has the two products that the useful operations count.
 *
 * @param weights in the order of {@link weightShapes}
 * @param x [rows, d], what is fed: a token's embedding or a thought
 */
export function objective(
  jax: Arrays,
  config: ModelConfig,
  layout: Layout,
  tau: number,
  weights: Arrays[],
  x: Arrays,
  c: Arrays,
): { thinking: Arrays; answers: Arrays } {
  const { numpy: np, nn } = jax;
  const { hiddenSize: d, normEps } = config;
  const { prompts: B, promptRows: P, bins: N, binRows: T, headRows } = layout;
  const [embedding, finalNorm, ...blocks] = weights;
  for (let i = 0; i < config.layers; i++) {
    const named = Object.fromEntries(BLOCK.map((name, j) => [name, blocks[i * BLOCK.length + j]])) as Block;
    x = block(jax, config, layout, c, named, x);
  }
  const [prompts, bins] = np.split(x, [B * P]);
  const last = np.einsum("bp,bpd->bd", c.last, prompts.reshape([B, P, d]));
  const padding = np.zeros([headRows - N * T - B, d]);
  const picked = np.concatenate(headRows > N * T + B ? [bins, last, padding] : [bins, last], 0);
  const z = linear(np, rmsNorm(np, picked, finalNorm, normEps), embedding.ref).add(c.vocabularyBias);
  const u = linear(np, c.direction, embedding);
  const thinking = np.sum(nn.softmax(z.ref.mul(1 / tau), -1).mul(u));
  const logTotal = nn.logsumexp(z.ref, -1, { keepdims: true });
  const answers = np.sum(c.targets.mul(z)).sub(np.sum(c.targetWeight.mul(logTotal)));
  return { thinking, answers };
}
