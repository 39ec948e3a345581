import type { FakeHub } from "../../model/support/fake_hub.ts";
import { withHub } from "../../model/support/with_hub.ts";

/** A hub with one repository, and the environment of a program that knows this hub and has an empty cache. */
export function withHubEnv(
  files: Parameters<typeof withHub>[1],
  test: (hub: FakeHub, env: Record<string, string>) => Promise<void>,
  id?: string,
): Promise<void> {
  const unset = { HF_HUB_CACHE: "", HUGGINGFACE_HUB_CACHE: "", HF_TOKEN: "", HF_HUB_OFFLINE: "" };
  const envOf = (hub: FakeHub, home: string) => ({ ...unset, HF_HOME: home, HF_ENDPOINT: hub.endpoint });
  return withHub(({ hub, cache }) => test(hub, envOf(hub, cache)), files, id);
}
