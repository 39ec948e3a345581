/**
 * What brings Dawn, with Tint, as a module. It is loaded where these tests run, and stands in no lock file: of 50 MB, it is for nobody else.
 */
export const DAWN_PACKAGE = "npm:webgpu@0.6.2";

/** Flags of a process that loads it. */
export const DAWN_FLAGS = ["run", "--allow-all", "--quiet", "--no-config", "--no-lock", "--no-check"];
