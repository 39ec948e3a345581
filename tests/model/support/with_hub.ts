import { assertRejects, assertStringIncludes } from "@std/assert";
import { UserError } from "../../../gpu/errors.ts";
import { type PullOptions, type PullProgress, pullRepo } from "../../../model/hub/pull_repo.ts";
import { inFolder } from "../../support/folders.ts";
import { withEnv } from "../../support/with_env.ts";
import { sha256 } from "./content_hashes.ts";
import { type FakeHub, fakeHub, someBytes } from "./fake_hub.ts";

/** A file that is large enough for the content network. */
export const WEIGHTS = someBytes(300_000);

/** The name of its content in a cache. */
export const BLOB = sha256(WEIGHTS);

/** What the hub has where a test names nothing else. */
export const FILES = {
  "config.json": '{"a": 1}',
  "original/notes.txt": "notes\n",
  "model.safetensors": WEIGHTS,
};

/** A hub, an empty cache, and a way to pull from one into the other. */
export async function withHub(
  test: (world: {
    hub: FakeHub;
    cache: string;
    repo: string;
    notices: string[];
    pull: (more?: Partial<PullOptions>) => ReturnType<typeof pullRepo>;
  }) => Promise<void>,
  contents: Parameters<typeof fakeHub>[0] = FILES,
  id = "org/name",
): Promise<void> {
  await using hub = fakeHub(contents, id);
  const notices: string[] = [];
  const onProgress = ({ notice }: PullProgress) => void (notice && notices.push(notice));
  const pull = (more: Partial<PullOptions> = {}) =>
    pullRepo({ kind: "model", id, onProgress, ...more, hub: { retryDelay: 5, ...more.hub } });
  await inFolder((cache) => {
    const set = { HF_HUB_CACHE: cache, HF_ENDPOINT: hub.endpoint, HF_TOKEN: "secret", HF_HUB_OFFLINE: "" };
    const repo = `${cache}/models--${id.replace("/", "--")}`;
    return withEnv(set, () => test({ hub, cache, repo, notices, pull }));
  });
}

/** The requests whose path has this in it. */
export const requestsFor = (hub: FakeHub, part: string) => hub.seen.filter(({ path }) => path.includes(part));

/** Those that the content network got. */
export const weightRequests = (hub: FakeHub) => hub.seen.filter(({ server }) => server === "cdn");

/** Fails unless a pull ends with this message and hint. */
export async function refused(pulling: Promise<unknown>, message: string, hint = ""): Promise<UserError> {
  const error = await assertRejects(() => pulling, UserError, message);
  assertStringIncludes((error as UserError).hint ?? "", hint);
  return error as UserError;
}
