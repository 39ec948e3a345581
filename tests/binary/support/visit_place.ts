import { type Finished, told } from "../../cli/support/run_softcot.ts";
import type { OddPlace } from "./odd_places.ts";

/** Programs that the scripts of places use. */
const TOOLS: Readonly<Record<string, string>> = {
  look: `ls -A "$1" 2>/dev/null | grep .`,
  // As a whole copy looks to the launcher, which counts its files and their bytes.
  plant: `eval "$(head -n 5 "$BOX/softcot" | grep ^id=)"
mkdir -p "$1/$id" && cd "$1/$id" && touch $(seq $((files - 2)))
for name in deno softcot; do printf '#!/bin/sh\\n> "%s/mark"\\n' "$BOX" >$name && chmod 755 $name; done
truncate -s $((size - $(cat deno softcot | wc -c))) 1`,
};

/** Starts the file at a place; undefined where only root can make that place. */
export async function visitPlace(file: string, place: OddPlace): Promise<Finished | undefined> {
  if (place.root && Deno.uid() !== 0) return undefined;
  const folder = await Deno.makeTempDir({ prefix: "softcot-place-" });
  try {
    const [box, tools] = [`${folder}/box`, `${folder}/tools`];
    for (const path of [folder, box, tools]) {
      await Deno.mkdir(path, { recursive: true });
      await Deno.chmod(path, 0o755);
    }
    for (const [name, lines] of Object.entries(TOOLS)) {
      await Deno.writeTextFile(`${tools}/${name}`, `#!/bin/sh\n${lines}\n`, { mode: 0o755 });
    }
    await Deno.copyFile(file, `${box}/softcot`);
    await Deno.chmod(`${box}/softcot`, 0o755);
    const PATH = `${tools}:/usr/sbin:/usr/bin:/sbin:/bin`;
    const env = { PATH, BOX: box, HOME: `${box}/home`, GO: "eval check 1/2 0.5", NO_COLOR: "1" };
    const shell = new Deno.Command("sh", {
      args: ["-c", place.script],
      ...{ cwd: box, env, clearEnv: true, stdin: "null" },
    });
    return told(await shell.output());
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** What is wrong with how it ended; undefined if nothing is. */
export function complaint({ code, says }: OddPlace, done: Finished): string | undefined {
  const all = done.stdout + done.stderr;
  if (done.code !== code) return `ended with ${done.code} instead of ${code}: ${all}`;
  return says === undefined || says.test(all) ? undefined : `said nothing like ${says}: ${all}`;
}
