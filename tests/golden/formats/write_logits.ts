/** Writes all logits of make_smollm2.py's text as f32: `deno run -A write_logits.ts MODEL LOGITS.f32`. */
import { openGpu } from "../../../gpu/device/open_gpu.ts";
import { findModel } from "../../../model/files/find_model.ts";
import { logitsOf } from "../../model/support/logits_of.ts";

const [name, path] = Deno.args;
const { ids } = JSON.parse(Deno.readTextFileSync(new URL("smollm2.json", import.meta.url)));
const gpu = await openGpu();
const { model } = await findModel(gpu, name);
using file = Deno.openSync(path, { write: true, create: true, truncate: true });
for (const row of await logitsOf(model, ids)) {
  const bytes = new Uint8Array(row.buffer);
  for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
}
gpu.close();
