import { loadTrained } from "../../../rl/run/load_checkpoint.ts";
import { jetstream } from "@nats-io/jetstream";
import type { FoundModel } from "../../../model/files/find_model.ts";
import { roomFor, sliceOf } from "../../../rl/cluster/add_up.ts";
import { BUCKET } from "../../../rl/cluster/buckets.ts";
import { joinMpi } from "../../../rl/cluster/mpi.ts";
import type { Rates } from "../../../rl/scaling/rates.ts";
import { connectNats } from "../../../rl/workers/connect_nats.ts";
import { serveFiles } from "../../../rl/workers/serve_files.ts";
import { messageRoom, openStreams, RESULTS, resultSubject } from "../../../rl/workers/streams.ts";
import { trainedWeights } from "../../../rl/workers/trained_weights.ts";
import { workerFiles } from "../../../rl/workers/worker_files.ts";
import { startNats } from "../../workers/support/nats_server.ts";
import { bestSeconds } from "./device_rates.ts";

type LinkRates = Pick<Rates, "add" | "link" | "message">;

/** Measures what learners sum by, among the processes that mpirun started. All get figures; those of the first count. */
export async function linkRates(repeats: number): Promise<{ rank: number; rates: LinkRates }> {
  const mpi = joinMpi();
  const { rank, size } = mpi;
  const slice = sliceOf(size, BUCKET);
  const [data, received] = [new Float32Array(slice), new Float32Array(roomFor(slice, size))];
  const sent = 4 * slice / size * (size - 1);
  const both = await bestSeconds(repeats * 10, async () => {
    await mpi.exchangeParts(data, received);
    await mpi.spreadParts(data);
  });
  const short = await bestSeconds(
    repeats * 10,
    () => mpi.exchangeParts(data.subarray(0, size), received),
  );
  const added = await bestSeconds(repeats * 10, () => mpi.add(received.subarray(0, slice), data));
  mpi.leave();
  return { rank, rates: { add: 4 * slice / added, link: 2 * sent / both, message: short / (size - 1) } };
}

/** Measures the way of trained weights to a worker of this machine, part by part. */
export async function weightsRates(
  { model }: FoundModel,
  folder: string,
  repeats: number,
): Promise<Pick<Rates, "save" | "fetch" | "load">> {
  using server = await serveFiles({ host: "127.0.0.1", port: 0 });
  using trained = trainedWeights(server, () => model, `${folder}/served`);
  let step = 0;
  const save = await bestSeconds(repeats, () => trained.after(++step));
  const { files } = await trained.after(step);
  const [{ bytes }] = files;
  let at = "";
  let turn = 0;
  const fetch = await bestSeconds(repeats, async () => {
    using held = await workerFiles(`${folder}/worker-${turn++}`, () => {}).trained(server.url, files);
    at = held.folder;
  });
  const load = await bestSeconds(repeats, async () => {
    await loadTrained(at, model);
    await model.gpu.reader.read({ ...model.params.embedding.chunks[0], shape: [4] });
  });
  return { save: bytes / save, fetch: bytes / fetch, load: bytes / load };
}

const PIECES = 24;

/** Measures results through a NATS server: pieces are sent one after another, each once the last is stored, and taken meanwhile. */
export async function queueRate(repeats: number): Promise<number> {
  await using nats = await startNats();
  const connection = await connectNats({ url: nats.url }, "bench");
  const manager = await openStreams(connection);
  const stream = jetstream(connection);
  const piece = new Uint8Array(messageRoom(connection));
  const consumer = await stream.consumers.get(RESULTS, { filter_subjects: resultSubject("bench") });
  const messages = await consumer.consume();
  let [left, all] = [0, Promise.withResolvers<void>()];
  const taking = (async () => {
    for await (const _ of messages) if (--left === 0) all.resolve();
  })();
  const seconds = await bestSeconds(repeats, async () => {
    [left, all] = [PIECES, Promise.withResolvers<void>()];
    for (let i = 0; i < PIECES; i++) await stream.publish(resultSubject("bench", "job", "result"), piece);
    await all.promise;
  });
  messages.stop();
  await taking;
  await manager.streams.purge(RESULTS);
  await connection.close();
  return piece.length * PIECES / seconds;
}
