import { openTimed, type TimedProcess } from "./timed_process.ts";

/**
 * Starts llama.cpp: `peers/llama_peer.py` says what it can be asked.
 *
 * @param python a Python that has llama-cpp-python
 * @param model a GGUF file
 * @param library folder of another build of it, whose GPU is used; that of the package and the CPU otherwise
 */
export const openLlama = (python: string, model: string, library?: string): Promise<TimedProcess> =>
  openTimed(
    python,
    "peers/llama_peer.py",
    [model, ...(library ? ["--gpu"] : [])],
    library ? { LLAMA_CPP_LIB_PATH: library, GGML_VK_VISIBLE_DEVICES: "0" } : {},
  );
