import type { ChoiceMeasures, NamedMeasures } from "../../eval/choices/choice_result.ts";
import type { Estimate } from "../../eval/measures/pass_at_k.ts";
import { counted } from "../terminal/counted.ts";
import { table } from "../terminal/table.ts";
import { askedQuestions } from "./describe_evaluation.ts";
import type { ChoiceReport } from "./measure_choices.ts";

/** A choice task's measures as people read them: all questions, then categories and subjects where there are any. */
export function describeChoices(report: ChoiceReport): string {
  const { task, model, device, shots, truncated, skipped = 0 } = report;
  const about = [
    `${task.name} v${task.version}, ${askedQuestions(report)}`,
    counted(shots, "shot"),
    `model ${model.name} (${model.hash.slice(0, 12)}), on ${device.name}`,
  ];
  const cut = truncated > 0
    ? [
      "",
      `${truncated} choices had to be scored with the beginning of their question cut off: the context is full`,
    ]
    : [];
  const left = skipped > 0
    ? ["", `${counted(skipped, "question")} left out: longer than the model's context`]
    : [];
  const { macro, categories = [], subjects = [] } = report;
  const rows = [
    measured(macro ? "all questions (micro)" : "all questions", report),
    ...(macro ? [measured("mean of subjects (macro)", macro)] : []),
    ...categories.map(named),
  ];
  return [
    about.join(", "),
    "",
    measuresTable("", rows),
    ...(subjects.length > 0 ? ["", measuresTable("subject", subjects.map(named))] : []),
    ...cut,
    ...left,
  ].join("\n");
}

const named = (measures: NamedMeasures) => measured(measures.name.replaceAll("_", " "), measures);

function measured(name: string, { questions, accuracy, accuracyNormed, nll }: ChoiceMeasures): string[] {
  return [name, String(questions), estimate(accuracy), estimate(accuracyNormed), estimate(nll)];
}

function measuresTable(first: string, rows: string[][]): string {
  const header = [first, "questions", "acc", "acc_norm", "NLL a token"];
  return table(rows, { header, align: ["left", "right", "right", "right", "right"] });
}

/** `0.230 ± 0.042`; a single question has no standard error. */
function estimate({ value, standardError }: Estimate): string {
  return `${value.toFixed(3)}${Number.isFinite(standardError) ? ` ± ${standardError.toFixed(3)}` : ""}`;
}
