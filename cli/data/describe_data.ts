import type { VerifyOptions } from "../../eval/answer/verify.ts";
import type { Overlap } from "../../eval/data/overlap.ts";
import type { Stream, TaskLimits } from "../../eval/task.ts";
import { table } from "../terminal/table.ts";

/** A question as `softcot data show` tells it. */
export interface ShownQuestion {
  id: string;
  question: string;
  /** The right answer; of a choice task, the text of the right choice. */
  gold: string;
  choices?: readonly string[];
  subject?: string;
  level?: number;
  /** As a model gets it. */
  prompt: string;
}

/** What `softcot data show` tells. */
export interface ShownData {
  name: string;
  version: number;
  kind: "generation" | "choice";
  about: string;
  hub: string | null;
  licence: string | null;
  /** Where the questions were read from; null if they are made up. */
  origin: string | null;
  /** Rows of each split in the files. */
  rows: Record<string, number>;
  /** Those left out, by split and reason. */
  dropped: Record<string, Record<string, number>>;
  /** Questions of each stream; null where there is no end of them. */
  questions: Record<Stream, number | null>;
  limits?: TaskLimits;
  checking?: VerifyOptions;
  /** Training questions that make up the validation stream. */
  heldOut?: number;
  promptHash?: string;
  /** Of a choice task. */
  mostShots?: number;
  overlaps: Overlap[];
  /** The sets that were compared. */
  comparedWith: string[];
  split: Stream;
  shown: ShownQuestion[];
}

/** A task's data as people read them. */
export function describeData(data: ShownData): string {
  const { shown } = data;
  const first = shown.length === 0
    ? []
    : [`the first ${shown.length === 1 ? "question" : `${shown.length} questions`} of ${data.split}`];
  const parts = [head(data), splits(data), overlaps(data), ...first, ...shown.map(question)];
  if (shown.length > 0) parts.push(`prompt of the first:\n${shown[0].prompt}`);
  return parts.filter((part) => part !== "").join("\n\n");
}

function head({ name, version, kind, about, origin, hub, licence, limits, checking }: ShownData): string {
  const options = Object.entries(checking ?? {}).map(([key, value]) => `${key} ${value}`).join(", ");
  const rows = [
    ["task", `${name} v${version}, ${kind}: ${about}`],
    ["read from", origin ?? "nowhere: its questions are made up"],
    ...(hub === null ? [] : [["on the hub", `${hub}, ${licence}`]]),
    ...(limits
      ? [[
        "limits",
        `${limits.maxThinking} tokens of thinking in training, ${limits.maxThinkingEval} in evaluation, ` +
        `${limits.answerTokens} of an answer`,
      ]]
      : []),
    ...(options === "" ? [] : [["answers", options]]),
  ];
  return table(rows, { align: ["left", "left"] });
}

function splits({ rows, dropped, questions, heldOut }: ShownData): string {
  const names = [...new Set([...Object.keys(rows), ...Object.keys(questions)])]
    .filter((name) => rows[name] !== undefined || questions[name as Stream] !== 0);
  const told = names.map((name) => {
    const reasons = Object.entries(dropped[name] ?? {}).map(([reason, count]) => `${count} ${reason}`);
    const held = name === "train" && heldOut ? [`${heldOut} held out for validation`] : [];
    const size = questions[name as Stream];
    return [
      name,
      rows[name] ?? "-",
      size === null ? "no end" : size ?? "-",
      [...reasons, ...held].join(", ") || "-",
    ];
  });
  return table(told, {
    header: ["split", "rows", "questions", "left out"],
    align: ["left", "right", "right", "left"],
  });
}

function overlaps({ overlaps, comparedWith }: ShownData): string {
  if (comparedWith.length === 0 && overlaps.length === 0) return "";
  const compared = `compared with ${comparedWith.join(", ") || "no other set"}`;
  if (overlaps.length === 0) return `no question in common with another set; ${compared}`;
  const rows = overlaps.map(({ split, other, otherSplit, questions }) => [
    split,
    `${other} ${otherSplit}`,
    questions,
  ]);
  return table(rows, { header: ["split", "shared with", "questions"], align: ["left", "left", "right"] }) +
    `\n${compared}`;
}

function question({ id, question, gold, choices, subject, level }: ShownQuestion): string {
  const about = [id, subject, level === undefined ? undefined : `level ${level}`];
  return [
    about.filter((part) => part !== undefined).join(", "),
    question,
    ...(choices ?? []).map((text) => `  ${text === gold ? "*" : "-"} ${text}`),
    ...(choices ? [] : [`gold: ${gold}`]),
  ].join("\n");
}
