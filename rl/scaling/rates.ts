import * as z from "zod";

const rate = z.number().positive();

/**
 * What a device, a process and the ways between machines do: all that an update's seconds are computed from, beside the work. Operations are
 * useful ones, as `rollout_flops` and `update_flops` count them. B/s are bytes a second.
 */
export const ratesSchema = z.strictObject({
  /** FLOP/s of an update's forward and backward passes. */
  update: rate,
  /** FLOP/s of rows that are generated, beyond what a step costs with none. */
  rollout: rate,
  /** B/s of device memory: weights that a step reads, keys and values, moments. */
  memory: rate,
  /** Seconds of each dispatch of a step of generation, with what waits between two. */
  dispatch: rate,
  /** B/s from the device to the process, and as many back. */
  copy: rate,
  /** B/s of summands that a process adds up. */
  add: rate,
  /** B/s that a process sends to another one, and is sent at the same time. */
  link: rate,
  /** Seconds that a message takes whatever its length. */
  message: rate,
  /** B/s at which trained weights become a file with a SHA-256. */
  save: rate,
  /** B/s of that file over HTTP out of one process, checked. */
  fetch: rate,
  /** B/s of that file to the device. */
  load: rate,
  /** B/s of results through the NATS server, stored there. */
  queue: rate,
});

/** See {@link ratesSchema}. */
export type Rates = z.infer<typeof ratesSchema>;

/** A GPU's data sheet. */
export interface CardSheet {
  name: string;
  /** FLOP/s in f32 outside of tensor cores, which WebGPU does not have. */
  peak: number;
  /** B/s of its memory. */
  memory: number;
  /** Bytes of its memory. */
  bytes: number;
}

/** Data sheets of their makers: SXM modules where there are several. */
export const CARD_SHEETS = {
  h100: { name: "NVIDIA H100", peak: 67e12, memory: 3.35e12, bytes: 80e9 },
  h200: { name: "NVIDIA H200", peak: 67e12, memory: 4.8e12, bytes: 141e9 },
  a100: { name: "NVIDIA A100 80 GB", peak: 19.5e12, memory: 2.039e12, bytes: 80e9 },
  l40s: { name: "NVIDIA L40S", peak: 91.6e12, memory: 0.864e12, bytes: 48e9 },
  rtx4090: { name: "NVIDIA RTX 4090", peak: 82.6e12, memory: 1.008e12, bytes: 24e9 },
  mi300x: { name: "AMD MI300X", peak: 163.4e12, memory: 5.3e12, bytes: 192e9 },
} as const satisfies Record<string, CardSheet>;

/** What is assumed of a cluster of cards that are not here. */
export interface Assumed {
  /** Share of the peak of operations that updates and rollouts reach. */
  share: number;
  /** Share of the memory's bandwidth that is reached. */
  memoryShare: number;
  /** B/s of the link between learners. */
  link: number;
}

/**
 * What concerns the process and the way to its card, assumed: near what a core of the machine of docs/scaling.md was measured to do; 5 us a
 * dispatch; PCIe 4 with the process's own copy behind it; a message over a network. Only --rates has measured ones.
 */
const PROCESS = {
  dispatch: 5e-6,
  copy: 8e9,
  add: 20e9,
  message: 2e-5,
  save: 0.25e9,
  fetch: 0.3e9,
  load: 1e9,
  queue: 0.2e9,
};

/** Rates of a card by its data sheet and what is assumed. */
export const ratesOfCard = (card: CardSheet, { share, memoryShare, link }: Assumed): Rates => ({
  ...PROCESS,
  update: share * card.peak,
  rollout: share * card.peak,
  memory: memoryShare * card.memory,
  link,
  fetch: Math.min(PROCESS.fetch, link),
});
