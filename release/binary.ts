/**
 * `deno task binary`: softcot as one file for servers, and its SHA-256 beside it.
 *
 * @module
 */
import { Command, EnumType } from "@cliffy/command";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import project from "../deno.json" with { type: "json" };
import { reportError } from "../cli/terminal/report_error.ts";
import { inBytes } from "../cli/terminal/in_bytes.ts";
import { UserError } from "../gpu/errors.ts";
import { sha256Of } from "../model/files/sha256_of.ts";
import { bundleApp } from "./bundle_app.ts";
import { compileApp } from "./compile_app.ts";
import { findDeno } from "./find_deno.ts";
import { selfExtracting } from "./self_extracting.ts";
import { type Target, TARGETS } from "./targets.ts";

const root = fileURLToPath(new URL("../", import.meta.url));

/** What is to be built. */
export interface BinaryOptions {
  /** Names of targets; all of them if not given. */
  targets?: readonly string[];
  /** Where to put the files; `dist` of the checkout if not given. */
  out?: string;
  /** By `deno compile` instead of as a file that unpacks itself. */
  compile?: boolean;
}

/**
 * Builds the files of one version, each with a file `.sha256` beside it that sha256sum can check.
 * @returns the paths of the files, without those of the hashes
 */
export async function buildBinaries(
  { targets, out = join(root, "dist"), compile }: BinaryOptions,
): Promise<string[]> {
  const work = workFolder(out);
  try {
    const app = join(work, "app");
    const workers = await bundleApp(app);
    const paths: string[] = [];
    for (const target of TARGETS.filter(({ name }) => targets?.includes(name) ?? true)) {
      const name = `softcot-${project.version}-${target.name}`;
      const made = join(work, name);
      await (compile ? compileApp(app, workers, target, made) : packApp(app, target, made));
      Deno.writeTextFileSync(`${made}.sha256`, `${sha256Of([made])}  ${name}\n`);
      for (const file of [name, `${name}.sha256`]) Deno.renameSync(join(work, file), join(out, file));
      paths.push(join(out, name));
    }
    return paths;
  } finally {
    Deno.removeSync(work, { recursive: true });
  }
}

/** A folder on the same disk as the result, which is moved into its place when it is whole. */
function workFolder(out: string): string {
  try {
    Deno.mkdirSync(out, { recursive: true });
    return Deno.makeTempDirSync({ dir: out, prefix: ".work-" });
  } catch (error) {
    throw new UserError(
      `Cannot write to ${out}: ${(error as Error).message}, a writable folder is needed`,
      "name another folder with --out",
    );
  }
}

/** Writes the file that unpacks itself. */
async function packApp(app: string, target: Target, path: string): Promise<void> {
  Deno.copyFileSync(fileURLToPath(new URL("start.sh", import.meta.url)), join(app, "softcot"));
  Deno.copyFileSync(await findDeno(target), join(app, "deno"));
  for (const name of ["softcot", "deno"]) Deno.chmodSync(join(app, name), 0o755);
  using file = Deno.openSync(path, { write: true, createNew: true, mode: 0o755 });
  for (const part of await selfExtracting(app, target)) {
    for (let at = 0; at < part.length;) at += file.writeSync(part.subarray(at));
  }
}

const command = new Command()
  .name("deno task binary")
  .description("Builds softcot as one file for servers, with its SHA-256 beside it.")
  .type("target", new EnumType(TARGETS.map(({ name }) => name)))
  .option("--target <name:target[]>", "Machines to build for (default: all)")
  .option("--compile", "By deno compile, with the denort of DENORT_BIN or of Deno's download")
  .option("--out <dir:file>", "Folder for the files (default: dist)")
  .throwErrors()
  .action(async ({ target, compile, out }: { target?: string[]; compile?: boolean; out?: string }) => {
    for (const path of await buildBinaries({ targets: target, compile, out })) {
      console.log(`${path}  ${inBytes(Deno.statSync(path).size)}`);
    }
  });

if (import.meta.main) {
  try {
    await command.parse(Deno.args);
  } catch (error) {
    Deno.exit(reportError(error));
  }
}
