import { type Figure, lastJson, type Part, valueOf } from "./part.ts";

const SOFTCOT = "./softcot";
const measured = (program: string, ...args: string[]): Pick<Part, "command" | "read"> => ({
  command: (tiny) => [
    ...[Deno.execPath(), "run", "-A", "--no-check", `tests/gpu_hour/measure_${program}.ts`],
    ...[...args, ...(tiny ? ["--tiny"] : [])],
  ],
  read: (stdout) => lastJson<{ figures: Figure[] }>(stdout).figures,
});

/** Is it the right device, does it open, and what does it grant? */
const device: Part = {
  name: "device",
  seconds: 20,
  ...measured("device"),
};

/** `softcot doctor`: products, random numbers, long loops and a small model, each against the CPU. */
const doctor: Part = {
  name: "doctor",
  seconds: 40,
  command: () => [SOFTCOT, "doctor", "--json"],
  read(stdout) {
    const { findings } = JSON.parse(stdout) as { findings: { name: string; state: string; found: string }[] };
    return findings.map(({ name, state, found }) => ({
      what: name,
      value: Number(state !== "missing"),
      unit: "",
      near: `1; found: ${found}`,
    }));
  },
};

/** Every test of kernels, in both families, against f64 on the CPU: what passed before the time was up counts, too. */
const kernels: Part = {
  name: "kernels",
  seconds: 120,
  command: (tiny) => [
    ...[Deno.execPath(), "test", "-A", "--no-check", "--reporter=tap"],
    ...(tiny ? ["gather", "elementwise"].map((name) => `tests/gpu/${name}_test.ts`) : ["tests/gpu"]),
  ],
  read(stdout) {
    const lines = stdout.split("\n").filter((line) => /^(not )?ok \d/.test(line));
    const skipped = lines.filter((line) => /# SKIP/i.test(line));
    const failed = lines.filter((line) => line.startsWith("not ok"));
    if (lines.length === 0) return [];
    return [
      {
        what: "passed",
        value: lines.length - skipped.length - failed.length,
        unit: "tests",
        near: "470 or more",
      },
      { what: "skipped", value: skipped.length, unit: "tests" },
      { what: "failed", value: failed.length, unit: "tests", near: "0" },
      ...failed.map((line) => ({ what: line.replace(/^not ok \d+ - /, "failed: "), value: 1, unit: "" })),
    ];
  },
  fault: (figures) => (valueOf(figures, "failed") ?? 0) > 0 ? "kernels compute wrongly" : undefined,
};

/** The fastest tiles of this adapter, kept for all that follows, and for the user; not so what one round finds. */
const tune: Part = {
  name: "tune",
  seconds: 40,
  command: (tiny) => [
    ...[Deno.execPath(), "run", "-A", "--no-check", "cli/main.ts", "bench", "--tune", "--json", "--quiet"],
    ...(tiny ? ["--rounds", "1"] : []),
  ],
  env: (tiny, scratch): Record<string, string> => tiny ? { XDG_CACHE_HOME: scratch } : {},
  read: (stdout) =>
    (JSON.parse(stdout) as { classes: { name: string; tiles: { gflops: number }[]; gain: number }[] }).classes
      .map(
        ({ name, tiles, gain }) => ({
          what: `${name}, ${gain.toFixed(2)} times what it was`,
          value: tiles[0].gflops,
          unit: "GFLOP/s",
        }),
      ),
};

/** What one dispatch costs: small models are made of these. */
const dispatches: Part = {
  name: "dispatches",
  seconds: 20,
  command: (tiny) => [
    ...[Deno.execPath(), "run", "-A", "--no-check", "tests/bench/dispatch_bench.ts", "--json"],
    ...["--rounds", tiny ? "1" : "3"],
  ],
  read: (stdout) =>
    lastJson<{ rows: { groups: number; work: string; wall: number }[] }>(stdout).rows.map((
      { groups, work, wall },
    ) => ({
      what: `${groups} workgroups, ${work}`,
      value: wall,
      unit: "us",
      near: work === "multiply"
        ? undefined
        : "published for Vulkan stacks: 24 to 36 where each waits for the last",
    })),
};

const training: Part = {
  name: "train",
  seconds: 80,
  ...measured("train"),
  fault: (figures) =>
    valueOf(figures, "largest mismatch") === 0 ? undefined : "rollouts and training disagree",
};

/** All parts, what decides whether numbers can be trusted first. */
export const PARTS: readonly Part[] = [
  device,
  doctor,
  dispatches,
  kernels,
  tune,
  { name: "rates", seconds: 40, ...measured("rates") },
  { name: "smollm2-135m", seconds: 35, ...measured("model", "smollm2-135m") },
  { name: "llama-1b", seconds: 50, ...measured("model", "llama-1b") },
  training,
  { name: "thinking", seconds: 30, ...measured("thinking") },
];
