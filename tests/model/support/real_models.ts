/** Models outside the repository that tests read where they are there. */
import { shared } from "../../support/places.ts";

/** A model's folder. */
export const realModel = (name: string): string => `${shared}models/${name}`;

/** Defines a test that needs such a model; where it is absent the test is skipped, saying so. */
export function testWithModel(name: string, title: string, test: (folder: string) => Promise<void>): void {
  const folder = realModel(name);
  const isThere = exists(folder);
  if (!isThere) console.error(`skipped: ${title} (no ${folder})`);
  Deno.test({ name: title, ignore: !isThere, fn: () => test(folder) });
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}
