/**
 * The update of `update_bench.ts` in jax-js (https://github.com/ekzhang/jax-js), in a process of its own that waits for its
 * turns: a line on standard input is a request, answered by its seconds.
 *
 *     deno run -A --config tests/bench/peers/deno.json tests/bench/peers/jax_js_update.ts FOLDER [webgpu | wasm]
 *
 * `gradient` leaves the objective's gradient and the answers' part of its value in the folder, `update` is one whole update.
 * FOLDER holds the batch, the weights and what the thoughts were, as `../support/jax_js_peer.ts` writes them. All is one jitted function:
 * valueAndGrad, the global norm, AdamW; its inputs are given up, and its outputs are what the next update takes.
 */
import { stdin } from "node:process";
import { createInterface } from "node:readline";
import { layOut, type Numbers, type UpdateBatch } from "./jax_js_layout.ts";
import { type Arrays, objective, weightShapes } from "./jax_js_model.ts";

const [folder, device = "webgpu"] = Deno.args;
const library = "@jax-js/jax";
const jax: Arrays = await import(library);
const { numpy: np } = jax;
const ready: string[] = await jax.init(device);
if (!ready.includes(device)) throw new Error(`Cannot run jax-js on ${device}: it has only ${ready}`);
jax.defaultDevice(device);

const numbersOf = (name: string) => new Float32Array(Deno.readFileSync(`${folder}/${name}`).buffer);
const put = ({ shape, data }: Numbers): Arrays => np.array(data).reshape(shape);
const sizeOf = (shape: number[]) => shape.reduce((product, n) => product * n, 1);

const batch: UpdateBatch = JSON.parse(Deno.readTextFileSync(`${folder}/batch.json`));
const { config, tau } = batch;
const layout = layOut(batch, numbersOf("hidden.f32"), numbersOf("directions.f32"));
const constants = Object.fromEntries(
  Object.entries(layout.constants).map(([name, numbers]) => [name, put(numbers)]),
);
const ids = np.array(layout.ids, { dtype: np.int32 });

const shapes = weightShapes(config);
const stored = numbersOf("weights.f32");
let at = 0;
let weights: Arrays[] = shapes.map((shape) => {
  const data = stored.slice(at, at += sizeOf(shape));
  return put({ shape, data });
});
let [first, second]: Arrays[][] = [0, 1].map(() => shapes.map((shape) => np.zeros(shape)));

const [BETA1, BETA2, EPS, CLIP] = [0.9, 0.95, 1e-8, 1];

/**
 * Gradients in the order of the weights. The look-up is differentiated by hand, as a product with the rows' one-hot
 * matrix: the gather's own derivative adds by atomics, which WebGPU in Deno does not compile.
 */
function gradients(w: Arrays[], id: Arrays, c: Arrays): { answers: Arrays; grads: Arrays[] } {
  const { isToken, tokens, fed, ...rest } = c;
  const x = np.take(w[0].ref, id, 0).mul(isToken).add(fed);
  const parts = (weights: Arrays[], x: Arrays) => {
    const { thinking, answers } = objective(jax, config, layout, tau, weights, x, rest);
    return [thinking.add(answers.ref), answers];
  };
  const [[value, answers], [grads, dx]] = jax.valueAndGrad(parts, { argnums: [0, 1], hasAux: true })(w, x);
  value.dispose();
  const lookedUp = np.einsum("vr,rd->vd", tokens, dx);
  return { answers, grads: [grads[0].add(lookedUp), ...grads.slice(1)] };
}

/** By rows first: one sum over all of a matrix would be a single invocation's. */
const squares = (x: Arrays): Arrays => np.sum(np.sum(x.ref.mul(x), -1));

/** One update: rates are (lr, 1 - beta1^t, 1 - beta2^t), inputs so that nothing is folded away. */
function step(w: Arrays[], m: Arrays[], v: Arrays[], rates: Arrays[], id: Arrays, c: Arrays) {
  const { grads, answers } = gradients(w.map((x) => x.ref), id, c);
  answers.dispose();
  const total = grads.map((g) => squares(g.ref)).reduce((sum, one) => sum.add(one));
  const norm = np.sqrt(total);
  const scale = np.minimum(np.reciprocal(norm.ref).mul(CLIP), 1);
  const [lr, correct1, correct2] = rates;
  const next = grads.map((gradient, i) => {
    const g = gradient.mul(scale.ref);
    const mean = m[i].mul(BETA1).add(g.ref.mul(1 - BETA1));
    const square = v[i].mul(BETA2).add(g.ref.mul(g).mul(1 - BETA2));
    const by = np.sqrt(square.ref.div(correct2.ref)).add(EPS);
    return { weight: w[i].sub(mean.ref.div(correct1.ref).mul(lr.ref).div(by)), mean, square };
  });
  return {
    norm,
    weights: next.map(({ weight }) => weight),
    first: next.map(({ mean }) => mean),
    second: next.map(({ square }) => square),
  };
}

const jitStep = jax.jit(step);
const jitGradients = jax.jit(gradients);
let steps = 0;

/** Waits by reading one number: outputs of one function are computed together. */
async function update(): Promise<void> {
  steps++;
  const rates = [0, 1 - BETA1 ** steps, 1 - BETA2 ** steps].map((rate) => np.array([rate]));
  const out = jitStep(weights, first, second, rates, ids.ref, jax.tree.ref(constants));
  ({ weights, first, second } = out);
  await out.norm.data();
}

async function gradient(): Promise<void> {
  const { grads, answers } = jitGradients(weights.map((x) => x.ref), ids.ref, jax.tree.ref(constants));
  const file = Deno.openSync(`${folder}/gradient.f32`, { write: true, create: true, truncate: true });
  for (const grad of grads) {
    const bytes = new Uint8Array((await grad.data()).buffer);
    for (let from = 0; from < bytes.length;) from += file.writeSync(bytes.subarray(from));
  }
  file.close();
  Deno.writeTextFileSync(`${folder}/gradient.json`, JSON.stringify({ answers: (await answers.data())[0] }));
}

const requests: Record<string, () => Promise<void>> = { update, gradient };
console.log("ready");
for await (const request of createInterface({ input: stdin })) {
  const started = performance.now();
  await requests[request]();
  console.log((performance.now() - started) / 1000);
}
