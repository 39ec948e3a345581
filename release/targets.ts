/** Machines that a file can be built for. */
export interface Target {
  /** As in the file's name. */
  name: string;
  /** What `uname -m` says there. */
  machine: string;
  /** The npm package that brings the Deno for it. */
  denoPackage: string;
  /** What Deno calls it. */
  triple: string;
}

/** All of them, by name. */
export const TARGETS: readonly Target[] = [
  {
    name: "linux-x64",
    machine: "x86_64",
    denoPackage: "@deno/linux-x64-glibc",
    triple: "x86_64-unknown-linux-gnu",
  },
  {
    name: "linux-arm64",
    machine: "aarch64",
    denoPackage: "@deno/linux-arm64-glibc",
    triple: "aarch64-unknown-linux-gnu",
  },
];
