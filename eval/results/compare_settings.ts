import { UserError } from "../../gpu/errors.ts";

/** All that decides an evaluation's results, by name; those of a task behind its name: `sums seed`. */
export type EvaluationSettings = Readonly<Record<string, unknown>>;

/**
 * Holds what is asked for against what a folder of results was made with. More questions, samples, modes and tasks may be asked for: they leave
 * what is kept as it is, since a rollout depends on its question, its sample and its mode alone.
 *
 * @param path of the folder, for messages
 * @returns whether more is asked for than there is
 * @throws UserError if anything else differs, naming it
 */
export function compareSettings(path: string, kept: EvaluationSettings, asked: EvaluationSettings): boolean {
  const different = [...new Set([...Object.keys(kept), ...Object.keys(asked)])]
    .filter((key) => JSON.stringify(kept[key]) !== JSON.stringify(asked[key]));
  const wrong = different.filter((key) => !isAddition(key, kept, asked));
  if (wrong.length === 0) return different.length > 0;
  // Hashes follow from the other settings: they are told where nothing else differs, and in short.
  const isHash = (key: string) => [kept[key], asked[key]].every((value) => HASH.test(String(value ?? "")));
  const plain = wrong.filter((key) => !isHash(key));
  const told = (plain.length > 0 ? plain : wrong)
    .map((key) => `${key} ${shown(kept[key])}, not ${shown(asked[key])}`);
  throw new UserError(
    `Cannot go on in ${path}: its results were made with ${told.join("; ")}`,
    "give the settings it was made with, of which questions, samples, modes and tasks may be more, or choose another folder with --out",
  );
}

/** Whether a setting that differs adds to what is kept. */
function isAddition(key: string, kept: EvaluationSettings, asked: EvaluationSettings): boolean {
  const [, task, name] = /^(\S+) (\S+)$/.exec(key) ?? [];
  if (task === undefined) return false;
  const of = (settings: EvaluationSettings, name: string) => settings[`${task} ${name}`];
  // A task that is new here.
  if (of(kept, "version") === undefined) return true;
  const isMore = (name: string) => Number(of(asked, name)) > Number(of(kept, name));
  const addsModes = () => {
    const [had, wanted] = [kept, asked].map((settings) =>
      of(settings, "modes") as string[] | undefined ?? []
    );
    return had.length < wanted.length && had.every((mode) => wanted.includes(mode));
  };
  switch (name) {
    case "questions":
    case "samples":
      // Numbers of samples and of noise come with the first mode that has use for them.
      return isMore(name) || (kept[key] === undefined && addsModes());
    case "modes":
      return addsModes();
    case "gamma":
    case "mixing":
      return addsModes() && isPart(kept[key] ?? {}, asked[key]);
    case "questionsHash":
      return isMore("questions");
    case "promptHash":
      // Of a task of choices it is that of all its questions.
      return of(kept, "modes") === undefined && isMore("questions");
    default:
      return false;
  }
}

/** Whether the one object has all that the other has. */
function isPart(part: unknown, whole: unknown): boolean {
  if (typeof part !== "object" || part === null || typeof whole !== "object" || whole === null) {
    return JSON.stringify(part) === "{}" || JSON.stringify(part) === JSON.stringify(whole);
  }
  return Object.entries(part).every(([key, value]) =>
    JSON.stringify((whole as Record<string, unknown>)[key]) === JSON.stringify(value)
  );
}

const HASH = /^[0-9a-f]{64}$/;

const shown = (value: unknown): string => {
  if (HASH.test(String(value ?? ""))) return String(value).slice(0, 12);
  return value === undefined ? "none" : JSON.stringify(value);
};
