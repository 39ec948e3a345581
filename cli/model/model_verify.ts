import { UserError } from "../../gpu/errors.ts";
import { verifyRepo } from "../../model/hub/verify_repo.ts";
import { defineCommand } from "../settings/define_command.ts";
import { counted } from "../terminal/counted.ts";
import { inBytes } from "../terminal/in_bytes.ts";

/** `softcot model verify`: whether a cached model is what was fetched. */
export const modelVerifyCommand = defineCommand({
  description: `Hash a model of the hub's cache again.

Every file in the cache bears its hash as its name. A file that is no longer what was fetched is named; the next \`softcot \
model pull\` fetches it again.`,
  arguments: [["<id:string:model>", "the model's name on the hub: org/name"]],
  settings: {},
  examples: [["A model that was pulled", "softcot model verify HuggingFaceTB/SmolLM2-135M-Instruct"]],
  async run(_, { args: [id], print }) {
    const found = await verifyRepo("model", id);
    if (found.changed.length > 0) {
      throw new UserError(
        `Cannot verify ${id}: ${
          counted(found.changed.length, "file")
        } of the cache changed since it was fetched: ${
          found.changed.map((hash) => hash.slice(0, 12)).join(", ")
        }`,
        `fetch it again with softcot model pull ${id}, and find out who may write to the cache`,
      );
    }
    print(
      { id, ...found },
      () => `${id}: ${counted(found.whole.length, "file")}, ${inBytes(found.bytes)}, as they were fetched`,
    );
  },
});
