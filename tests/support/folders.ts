/** A folder for the tests of one file, removed after the last of them. */
export async function testFolder(): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "softcot-test-" });
  Deno.test.afterAll(() => Deno.remove(folder, { recursive: true }));
  return folder;
}

/** Runs one test with a folder of its own, which is removed when the test has ended. */
export async function inFolder(test: (folder: string) => Promise<void> | void): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "softcot-test-" });
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
