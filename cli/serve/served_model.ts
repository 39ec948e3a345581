import type { AnyWay, MixingOptions } from "../../model/thinking/ways.ts";
import type { FoundModel } from "../../model/files/find_model.ts";
import type { Engine } from "../../model/serving/engine.ts";
import type { ChatMessage, Prompt } from "../../model/tokenizer/chat_template.ts";

/** What holds where a request does not say. */
export interface ServeDefaults {
  /** Of conversations; texts are continued without thinking. */
  thinking: AnyWay | "none";
  gamma: number;
  tau?: number;
  maxThinking: number;
  answerTokens: number;
  /** Most tokens without thinking. */
  maxTokens: number;
  mixing: MixingOptions;
}

/** A model at work, as requests see it. */
export interface ServedModel {
  found: FoundModel;
  engine: Engine;
  /** What clients call it. */
  name: string;
  /** When it was loaded, in seconds since 1970. */
  created: number;
  /** Tells versions of the program apart. */
  fingerprint: string;
  /** Positions that a text may have. */
  context: number;
  defaults: ServeDefaults;
  /** A conversation as the model reads it; `instructed`: with the method's instruction, which asks for what thinking ends at. */
  promptOf(messages: readonly ChatMessage[], instructed: boolean): Promise<Prompt>;
}
