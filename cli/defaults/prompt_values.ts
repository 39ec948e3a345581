import { ValidationError } from "@cliffy/command";
import type { Origin } from "../settings/resolve_config.ts";
import { runValues } from "./run_values.ts";

/** What decides how questions are put. */
interface PromptValues {
  model: string;
  chatTemplate: boolean;
  system?: string;
}

/** @throws ValidationError (wrong usage) for a system message without a chat template */
export function refuseLoneSystem({ chatTemplate, system }: Omit<PromptValues, "model">): void {
  if (chatTemplate || system === undefined) return;
  throw new ValidationError("--system goes with --chat-template: the plain prompt has no place for it.");
}

/**
 * How questions are put to a model: as the flags say, else as its run was trained.
 *
 * @param values with the flags
 * @param origins who set them
 * @throws ValidationError (wrong usage) for a system message without a chat template
 */
export function promptValues(
  { model, chatTemplate, system }: PromptValues,
  origins: { chatTemplate: Origin; system: Origin },
): { chatTemplate: boolean; system?: string } {
  const run = origins.chatTemplate === "default" ? runValues(model) : {};
  if (run["chat-template"] !== true) {
    refuseLoneSystem({ chatTemplate, system });
    return { chatTemplate, system };
  }
  const own = typeof run.system === "string" ? run.system : undefined;
  return { chatTemplate: true, system: origins.system === "default" ? own : system };
}
