import { toldAdapter } from "../../gpu/adapter.ts";
import { DeviceLostError, OutOfMemoryError, UserError } from "../../gpu/errors.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { shellWord } from "../settings/shell_word.ts";
import { describeShortage } from "../terminal/describe_shortage.ts";
import { keptOf, newestIn } from "../train/kept_of.ts";
import type { SftValues } from "./sft_settings.ts";
import { unfinishedIn } from "./unfinished.ts";

/** What is told of a training on demonstrations whose device was lost, or has no memory left: what is kept of it, and how to go on. */
export async function explainEnd(error: unknown, gpu: Gpu, values: SftValues): Promise<unknown> {
  const why = await gpu.errors.explain(error);
  const isLost = why instanceof DeviceLostError;
  if (!isLost && !(why instanceof OutOfMemoryError)) return why;
  const { kept, goOn } = placeOf(values);
  const what = isLost ? `was lost (${why.message})` : `has ${describeShortage(why)}`;
  return new UserError(
    `Cannot go on: the device ${toldAdapter(gpu.adapter)} ${what}; ${kept}`,
    isLost
      ? `${goOn}; if it happens again, the kernel's log (dmesg) may say why`
      : `end what else uses the device and ${goOn}; a new training takes less with --recompute, or a smaller --batch`,
  );
}

/** What is kept of a training, and what goes on with it: where no checkpoint was saved, nothing is kept. */
function placeOf(values: SftValues): { kept: string; goOn: string } {
  const out = values.out!;
  const folder = unfinishedIn(out);
  const kept = keptOf(folder, values);
  if (newestIn(folder) === undefined) return { kept, goOn: "start it again" };
  const gpu = Deno.env.get("SOFTCOT_GPU");
  const told = `softcot sft --resume --out ${shellWord(out)}${gpu ? ` --gpu ${shellWord(gpu)}` : ""}`;
  return { kept, goOn: `go on with: ${told}` };
}
