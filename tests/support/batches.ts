/** Files of a batch: fewer mean more starts of a process, more that cores wait for each other at the end. */
const FILES = 6;

/** Those that take a minute and more begin first, alone, so that no core waits for one at the end. */
const LONG = [
  "cli/train/train_resume_test.ts",
  "devices/devices_test.ts",
  "rl/exact_ways_test.ts",
  "cli/sweep/sweep_test.ts",
  "rl/memory/training_memory_test.ts",
  "gpu/matmul_order_test.ts",
  "gpu/quantised_test.ts",
  "security/readme_commands_test.ts",
  "gpu_hour/gpu_hour_test.ts",
];

/** The test files below a folder, in their order, or the file itself. */
export function testFilesOf(place: string): string[] {
  if (!Deno.statSync(place).isDirectory) return [place];
  return [...Deno.readDirSync(place)]
    .sort((a, b) => a.name < b.name ? -1 : 1)
    .flatMap(({ name, isDirectory }) => {
      const path = `${place.replace(/\/$/, "")}/${name}`;
      if (isDirectory) return name === "node_modules" ? [] : testFilesOf(path);
      return name.endsWith("_test.ts") ? [path] : [];
    });
}

/** Every file once. */
export function batchesOf(files: readonly string[]): string[][] {
  const isLong = (file: string) => LONG.some((end) => file.endsWith(end));
  const short = files.filter((file) => !isLong(file));
  const long = LONG.flatMap((end) => files.filter((file) => file.endsWith(end)));
  const batches = long.map((file) => [file]);
  for (let at = 0; at < short.length; at += FILES) batches.push(short.slice(at, at + FILES));
  return batches;
}
