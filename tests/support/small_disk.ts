/** Bytes of a page. */
const PAGE = 4096;

/** Runs `test` on a file system of `pages`, if one can be mounted. */
export async function onSmallDisk(pages: number, test: (disk: string) => Promise<void>): Promise<void> {
  const disk = await Deno.makeTempDir();
  const command = (name: string, ...args: string[]) => new Deno.Command(name, { args }).output();
  const options = `size=${pages * PAGE}`;
  const mounted = await command("mount", "-t", "tmpfs", "-o", options, "tmpfs", disk).catch(() => undefined);
  try {
    if (mounted?.success) await test(disk);
    else console.log("skipped: a file system to be filled can be mounted by root alone");
  } finally {
    if (mounted?.success) await command("umount", disk);
    await Deno.remove(disk);
  }
}

/** Takes pages of such a disk. */
export const fill = (disk: string, pages: number): void =>
  Deno.writeFileSync(`${disk}/filler`, new Uint8Array(pages * PAGE));
