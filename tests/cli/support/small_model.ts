import { testFolder } from "../../support/folders.ts";
import { succeed } from "./run_softcot.ts";

/** Flags of `sft` for a model of 3,888 weights. */
export const SMALL_MODEL = ["--width", "16", "--heads", "2", "--layers", "1", "--mlp", "32"];

/** A folder for the tests of one file, and in it a small model that often closes the box it answers in: rewards differ. */
export async function smallModel(): Promise<{ folder: string; model: string }> {
  const folder = await testFolder();
  const steps = ["--steps", "80", "--batch", "8", "--warmup", "5", "--lr", "1e-2"];
  await succeed(["sft", ...SMALL_MODEL, ...steps, "--out", `${folder}/base`]);
  return { folder, model: `${folder}/base` };
}
