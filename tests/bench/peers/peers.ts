/** A product C = A B of a library, ready to run on the device: `run` queues `times` of them and waits for the last. */
export interface PeerProduct {
  run(times: number): Promise<void>;
  free(): void;
}

/** A library that multiplies matrices on the same device. */
export interface Peer {
  name: string;
  prepare(m: number, k: number, n: number): Promise<PeerProduct>;
}

// The libraries are dependencies of this folder alone (deno.json beside this file), so the main program's type check must
// not look for them: their names are data here, and their objects have no types.
// deno-lint-ignore no-explicit-any
const load = (name: string): Promise<any> => import(name);

const ones = (length: number): Float32Array<ArrayBuffer> => new Float32Array(length).fill(0.5);

/** https://github.com/ekzhang/jax-js */
async function jax(): Promise<Peer> {
  const { numpy, init, defaultDevice, jit } = await load("@jax-js/jax");
  await init("webgpu");
  defaultDevice("webgpu");
  return {
    name: "jax-js",
    prepare(m, k, n) {
      const [a, b] = [numpy.array(ones(m * k)).reshape([m, k]), numpy.array(ones(k * n)).reshape([k, n])];
      // deno-lint-ignore no-explicit-any
      type Arrays = any;
      const product = jit((x: Arrays, y: Arrays) => numpy.dot(x, y));
      const add = jit((x: Arrays, y: Arrays) => numpy.add(x, y));
      return Promise.resolve({
        // It is lazy: a result that nobody reads is never computed, and each wait takes 10 ms. So all of them are summed.
        async run(times) {
          let sum = product(a.ref, b.ref);
          for (let i = 1; i < times; i++) sum = add(sum, product(a.ref, b.ref));
          const [first] = await sum.data();
          if (Math.abs(first / (times * k / 4) - 1) > 1e-3) {
            throw new Error(`jax-js skipped products: ${first}`);
          }
        },
        free() {
          a.dispose();
          b.dispose();
        },
      });
    },
  };
}

/** https://github.com/tensorflow/tfjs */
async function tensorflow(): Promise<Peer> {
  const tf = await load("@tensorflow/tfjs-core");
  await load("@tensorflow/tfjs-backend-webgpu");
  await tf.setBackend("webgpu");
  return {
    name: "tfjs-webgpu",
    prepare(m, k, n) {
      const [a, b] = [tf.tensor(ones(m * k), [m, k]), tf.tensor(ones(k * n), [k, n])];
      return Promise.resolve({
        async run(times) {
          for (let i = 1; i < times; i++) tf.matMul(a, b).dispose();
          const last = tf.matMul(a, b);
          await last.data();
          last.dispose();
        },
        free: () => tf.dispose([a, b]),
      });
    },
  };
}

/** The bytes of an ONNX model of one MatMul, c [m, n] = a [m, k] b [k, n]: https://github.com/onnx/onnx, onnx.proto. */
function onnxProduct(m: number, k: number, n: number): Uint8Array {
  const varint = (value: number): number[] =>
    value < 128 ? [value] : [value & 127 | 128, ...varint(value >>> 7)];
  const bytes = (field: number, content: number[]) => [
    ...varint(field << 3 | 2),
    ...varint(content.length),
    ...content,
  ];
  const int = (field: number, value: number) => [...varint(field << 3), ...varint(value)];
  const text = (field: number, value: string) => bytes(field, [...new TextEncoder().encode(value)]);
  const tensor = (name: string, shape: number[]) => {
    const sizes = bytes(2, shape.flatMap((size) => bytes(1, int(1, size))));
    return [...text(1, name), ...bytes(2, bytes(1, [...int(1, 1), ...sizes]))];
  };
  const node = [...text(1, "a"), ...text(1, "b"), ...text(2, "c"), ...text(4, "MatMul")];
  const graph = [
    ...bytes(1, node),
    ...text(2, "product"),
    ...bytes(11, tensor("a", [m, k])),
    ...bytes(11, tensor("b", [k, n])),
    ...bytes(12, tensor("c", [m, n])),
  ];
  return new Uint8Array([...int(1, 8), ...bytes(7, graph), ...bytes(8, [...text(1, ""), ...int(2, 17)])]);
}

/** https://github.com/microsoft/onnxruntime; inputs and outputs stay on the device. */
async function onnx(): Promise<Peer> {
  const ort = await load("onnxruntime-web/webgpu");
  ort.env.wasm.numThreads = 1;
  return {
    name: "onnxruntime-web",
    async prepare(m, k, n) {
      const options = { executionProviders: ["webgpu"], preferredOutputLocation: "gpu-buffer" };
      const session = await ort.InferenceSession.create(onnxProduct(m, k, n), options);
      const device: GPUDevice = await ort.env.webgpu.device;
      const put = (data: Float32Array<ArrayBuffer>, dims: number[]) => {
        const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
        const buffer = device.createBuffer({ size: Math.ceil(data.byteLength / 16) * 16, usage });
        device.queue.writeBuffer(buffer, 0, data);
        return { buffer, tensor: ort.Tensor.fromGpuBuffer(buffer, { dataType: "float32", dims }) };
      };
      const [a, b] = [put(ones(m * k), [m, k]), put(ones(k * n), [k, n])];
      return {
        async run(times) {
          for (let i = 1; i < times; i++) (await session.run({ a: a.tensor, b: b.tensor })).c.dispose();
          const { c } = await session.run({ a: a.tensor, b: b.tensor });
          await c.getData(true);
        },
        free() {
          a.buffer.destroy();
          b.buffer.destroy();
          session.release();
        },
      };
    },
  };
}

/** Those that are installed and open here; what fails is told and left out. */
export async function openPeers(): Promise<Peer[]> {
  const peers: Peer[] = [];
  for (const open of [jax, tensorflow, onnx]) {
    try {
      peers.push(await open());
    } catch (cause) {
      console.error(`${open.name}: left out, ${(cause as Error).message}`);
    }
  }
  return peers;
}
