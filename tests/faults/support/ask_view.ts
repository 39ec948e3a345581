import { httpSource } from "../../../web/data/http_source.ts";
import { softcotCommand } from "../../cli/support/run_softcot.ts";

/** Asks `softcot view` for all that it can tell of a folder. Returns what went wrong: it ends, or answers with 500, or has a stack to show. */
export async function askView(folder: string): Promise<string | undefined> {
  const child = softcotCommand(["view", folder], {
    ...{ env: { NO_COLOR: "1", SOFTCOT_DEBUG: "1" }, stdin: "null", stdout: "piped", stderr: "piped" },
  }).spawn();
  const said = new Response(child.stderr).text();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let stdout = "";
  for (let part; !stdout.includes("\n") && !(part = await reader.read()).done;) stdout += part.value;
  const wrong: string[] = [];
  if (stdout.includes("\n")) {
    const source = httpSource(stdout.trim().replace(/\/$/, ""));
    const ask = async (what: string, answer: Promise<unknown>) => {
      const told = await answer.then(() => "", (error: Error) => error.message);
      if (/went wrong|internal|500|undefined|not a function/i.test(told)) wrong.push(`${what}: ${told}`);
    };
    const { places } = await source.overview();
    for (const { id } of places) {
      await ask("metrics", source.metrics(id));
      await ask("rollouts", source.rollouts(id, {}));
      await ask("tables", source.tables(id));
      await ask("facets", source.facets(id));
    }
    child.kill("SIGTERM");
  }
  const { code } = await child.status;
  await reader.cancel();
  const stderr = await said;
  if (/^ +at /m.test(stderr)) wrong.push(`a stack: ${stderr.slice(-800)}`);
  if (!stdout.includes("\n") && (code !== 1 || !/^error: Cannot /m.test(stderr))) {
    wrong.push(`ends with ${code}: ${stderr}`);
  }
  return wrong.length > 0 ? wrong.join("; ") : undefined;
}
