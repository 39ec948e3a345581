import { evaluate } from "../../eval/evaluate.ts";
import { createGrader } from "../../eval/grader.ts";
import { type Mode, samplesIn } from "../../eval/modes.ts";
import type { RecordFile } from "../../eval/results/record_file.ts";
import type { ResultsFolder } from "../../eval/results/results_folder.ts";
import type { RolloutRecord } from "../../eval/results/rollout_record.ts";
import type { FoundModel } from "../../model/files/find_model.ts";
import type { JobRunner } from "../../model/generation/generate_jobs.ts";
import { counted } from "../terminal/counted.ts";
import { Interrupted } from "../terminal/interrupt.ts";
import { createEvaluationProgress } from "../terminal/evaluation_progress.ts";
import type { EvaluationReport } from "./evaluation_report.ts";
import type { GenerationPlan } from "./plan_generation.ts";
import type { ShownTexts } from "./shown_texts.ts";

/**
 * Runs a plan in all its modes, with progress; with a folder of results it goes on with what is there.
 *
 * @param texts told every rollout; `run` makes them, this device where it is left out
 * @throws Interrupted if the signal is aborted, saying what is kept
 */
export async function measureGeneration(
  { model, tokenizer, embeddingRms }: FoundModel,
  { task, run, prompt, prepared, about }: GenerationPlan,
  { results, signal, quiet, texts, run: runJobs }: {
    results: ResultsFolder | undefined;
    signal: AbortSignal;
    quiet: boolean;
    texts: ShownTexts;
    run?: JobRunner;
  },
): Promise<EvaluationReport> {
  const { modes, split, samples } = run;
  const { questions } = about;
  const total = modes.reduce((sum, mode) => sum + questions * samplesIn(mode, samples), 0);
  using open = new DisposableStack();
  const files = new Map<Mode, RecordFile<RolloutRecord>>();
  for (const mode of results ? modes : []) {
    files.set(mode, open.use(results!.records<RolloutRecord>(`${task.name}-${mode}`)));
  }
  using grader = createGrader(task);
  using progress = createEvaluationProgress(`eval ${task.name}`, total, quiet);
  let kept = 0;
  try {
    const measured = await evaluate(model, tokenizer, task, {
      ...run,
      ...{ questions, prompt, prepared, grader, signal, embeddingRms, run: runJobs },
      stream: split,
      *known(mode) {
        let before = 0;
        for (const record of files.get(mode)?.known() ?? []) {
          texts.see(record);
          before++;
          yield record;
        }
        const all = counted(questions * samplesIn(mode, samples), "rollout");
        if (before > 0) progress.log(`kept     ${mode}: ${before} of ${all} from before`);
      },
      onRollout(record) {
        files.get(record.mode)?.append(record);
        texts.see(record);
      },
      onMode: ({ mode }) => files.get(mode)?.sort(({ index, sample }) => index * 2 ** 20 + sample),
      onProgress(state) {
        kept = state.done;
        progress.update(state);
      },
    });
    return { ...about, modes: measured };
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new Interrupted(
      results
        ? `Stopped; ${kept} of ${total} rollouts of ${task.name} are kept in ${results.path}: the same command goes on.`
        : "Stopped; nothing was kept.",
    );
  }
}
