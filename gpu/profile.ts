/** Time of one kernel in one phase of the work. */
export interface KernelTime {
  /** As {@link Profile.phase} was when it was recorded. */
  phase: string;
  /** The kernel's. */
  label: string;
  /** Of GPU time, all dispatches together. */
  nanoseconds: number;
  /** How often it ran. */
  dispatches: number;
}

/** GPU time by phase and kernel label, from timestamp queries. */
export interface Profile {
  /** Whether dispatches are timed. */
  readonly on: boolean;
  /** What the work recorded from now on is for, such as `rollout`; set by whoever does it. */
  phase: string;
  /** The pass descriptor that times one dispatch. */
  begin(label: string): GPUComputePassDescriptor;
  /** Encodes the copying-out of this command buffer's timestamps. */
  resolve(encoder: GPUCommandEncoder): void;
  /** Totals since the start, slowest first. */
  report(): Promise<KernelTime[]>;
}

const PAIRS = 256; // one dispatch each: as many as a command buffer holds

/** Makes a profile; one that is off costs nothing. */
export function createProfile(device: GPUDevice, on: boolean): Profile {
  const totals = new Map<string, KernelTime>();
  const waiting: Promise<void>[] = [];
  const set = on
    ? device.createQuerySet({ label: "profile", type: "timestamp", count: PAIRS * 2 })
    : undefined;
  let labels: { phase: string; label: string }[] = [];

  const collect = async (buffer: GPUBuffer, names: typeof labels) => {
    await buffer.mapAsync(GPUMapMode.READ);
    const times = new BigUint64Array(buffer.getMappedRange());
    names.forEach(({ phase, label }, i) => {
      const key = `${phase}/${label}`;
      const total = totals.get(key) ?? { phase, label, nanoseconds: 0, dispatches: 0 };
      total.nanoseconds += Number(times[2 * i + 1] - times[2 * i]);
      total.dispatches++;
      totals.set(key, total);
    });
    buffer.unmap();
    buffer.destroy();
  };
  return {
    on,
    phase: "",
    begin(label) {
      const at = labels.push({ phase: this.phase, label }) - 1;
      return {
        label,
        timestampWrites: {
          querySet: set!,
          beginningOfPassWriteIndex: 2 * at,
          endOfPassWriteIndex: 2 * at + 1,
        },
      };
    },
    resolve(encoder) {
      if (labels.length === 0) return;
      const names = labels;
      labels = [];
      const size = names.length * 16;
      const resolved = device.createBuffer({
        label: "profile",
        size,
        usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
      });
      const out = device.createBuffer({
        label: "profile read",
        size,
        usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
      });
      encoder.resolveQuerySet(set!, 0, names.length * 2, resolved, 0);
      encoder.copyBufferToBuffer(resolved, 0, out, 0, size);
      // Mapping must wait for the submit that follows this call.
      waiting.push(Promise.resolve().then(() => collect(out, names)).finally(() => resolved.destroy()));
    },
    async report() {
      await Promise.all(waiting.splice(0));
      return [...totals.values()].sort((a, b) => b.nanoseconds - a.nanoseconds);
    },
  };
}
