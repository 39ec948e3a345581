/**
 * Where the cache is: HF_HUB_CACHE, else `hub` in HF_HOME, else `huggingface/hub` in XDG_CACHE_HOME or ~/.cache.
 */
export function hubCacheFolder(): string {
  const set = variable("HF_HUB_CACHE") ?? variable("HUGGINGFACE_HUB_CACHE");
  return set === undefined ? `${hubHome()}/hub` : expanded(set);
}

/** Where huggingface_hub keeps its things, the token among them. */
export function hubHome(): string {
  return expanded(variable("HF_HOME") ?? `${variable("XDG_CACHE_HOME") ?? "~/.cache"}/huggingface`);
}

/** The file that holds the hub's token, there or not. */
export function tokenPath(): string {
  return expanded(variable("HF_TOKEN_PATH") ?? `${hubHome()}/token`);
}

/** Variables that hold a token of the hub. */
export const TOKEN_VARIABLES = ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"] as const;

/** A variable of the environment; an empty one counts as absent. */
export function variable(name: string): string | undefined {
  return Deno.env.get(name)?.trim() || undefined;
}

/** Whether a variable of the environment says yes, as Python's huggingface_hub reads it. */
export function isOn(name: string): boolean {
  return ["1", "ON", "YES", "TRUE"].includes(variable(name)?.toUpperCase() ?? "");
}

/** Names of variables that stand in the paths of the others, as in HF_HOME=$SCRATCH/hf. */
export function hubVariables(): string[] {
  const paths = ["HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME", "HF_TOKEN_PATH"];
  return paths.flatMap((name) => [...(variable(name) ?? "").matchAll(NAMED)].map(([whole]) => nameIn(whole)));
}

/** `$NAME` or `${NAME}`. */
const NAMED = /\$(\w+|\{\w+\})/g;

const nameIn = (named: string) => named.replace(/[${}]/g, "");

/** A path with `~` and `$NAME` replaced, without a slash at its end. */
export function expanded(path: string): string {
  const home = variable("HOME") ?? variable("USERPROFILE") ?? ".";
  return path.replace(/^~(?=$|\/)/, home)
    .replace(NAMED, (whole) => variable(nameIn(whole)) ?? whole)
    .replace(/(?<=.)\/+$/, "");
}
