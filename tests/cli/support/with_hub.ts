import { type FakeHub, fakeHub } from "../../model/support/fake_hub.ts";
import { inFolder } from "../../support/folders.ts";

/** A hub with one repository, and the environment of a program that knows this hub and has an empty cache. */
export async function withHub(
  files: Parameters<typeof fakeHub>[0],
  test: (hub: FakeHub, env: Record<string, string>) => Promise<void>,
  id?: string,
): Promise<void> {
  await using hub = fakeHub(files, id);
  const unset = { HF_HUB_CACHE: "", HUGGINGFACE_HUB_CACHE: "", HF_TOKEN: "", HF_HUB_OFFLINE: "" };
  await inFolder((home) => test(hub, { ...unset, HF_HOME: home, HF_ENDPOINT: hub.endpoint }));
}
