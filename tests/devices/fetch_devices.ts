/**
 * A program: brings software devices that are not installed, each into a folder of its own, by apt, without root and without installing
 * anything: SwiftShader out of Debian's Chromium, and Mesa 25 out of the backports. What cannot be had is said, and no error: tests skip it.
 *
 *     deno run -A tests/devices/fetch_devices.ts
 *
 * @module
 */
import { FETCHED, fetchedFolder } from "./software_devices.ts";

/** What is taken out of which package. */
const PACKAGES: Record<keyof typeof FETCHED, { name: string; backports: boolean; library: string }> = {
  swiftshader: {
    name: "chromium-common",
    backports: false,
    library: "usr/lib/chromium/libvk_swiftshader.so",
  },
  mesa25: {
    name: "mesa-vulkan-drivers",
    backports: true,
    library: "usr/lib/x86_64-linux-gnu/libvulkan_lvp.so",
  },
};

async function command(program: string, args: string[], cwd: string): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args, cwd, stdout: "null", stderr: "piped" })
    .output();
  if (!success) {
    throw new Error(
      `${program} ${args.at(-1)}: ${new TextDecoder().decode(stderr).trim().split("\n").at(-1)}`,
    );
  }
}

/** The machine's own source of packages, with the suites that are wanted. */
function sourceOf(): string {
  const release = Deno.readTextFileSync("/etc/os-release");
  const codename = /^VERSION_CODENAME=(\w+)/m.exec(release)?.[1];
  if (codename !== "bookworm") {
    throw new Error(`it is known for Debian bookworm, here is ${codename ?? "another system"}`);
  }
  const stanzas = Deno.readTextFileSync("/etc/apt/sources.list.d/debian.sources").split(/\n\s*\n/);
  const own = stanzas.find((stanza) => new RegExp(`^Suites:.*\\b${codename}\\b(?!-)`, "m").test(stanza));
  if (!own) throw new Error(`no source of ${codename} is set up`);
  return own.replace(/^Suites:.*$/m, `Suites: ${codename} ${codename}-backports`) + "\n";
}

/** Flags that keep apt to a folder, so that nothing of the system's is touched. */
function aptFlags(work: string): string[] {
  const own = {
    ...{ "Dir::Etc::SourceList": "/dev/null", "Dir::Etc::SourceParts": `${work}/sources` },
    ...{ "Dir::State::Lists": `${work}/lists`, "Dir::Cache": `${work}/cache`, "APT::Sandbox::User": "" },
  };
  return ["-qq", ...Object.entries(own).flatMap(([name, value]) => ["-o", `${name}=${value}`])];
}

async function fetch(id: keyof typeof FETCHED, work: string, flags: string[]): Promise<void> {
  const { name, backports, library } = PACKAGES[id];
  const folder = `${work}/${id}`;
  Deno.mkdirSync(folder);
  const release = /^VERSION_CODENAME=(\w+)/m.exec(Deno.readTextFileSync("/etc/os-release"))![1];
  await command(
    "apt-get",
    [...flags, ...(backports ? ["-t", `${release}-backports`] : []), "download", name],
    folder,
  );
  const [deb] = Deno.readDirSync(folder);
  await command("dpkg-deb", ["-x", deb.name, "."], folder);
  const to = `${fetchedFolder()}/${id}`;
  const own = `${folder}/own`;
  Deno.mkdirSync(own);
  Deno.renameSync(`${folder}/${library}`, `${own}/driver.so`);
  const icd = {
    file_format_version: "1.0.0",
    ICD: { library_path: `${to}/driver.so`, api_version: "1.1.0" },
  };
  Deno.writeTextFileSync(`${own}/icd.json`, JSON.stringify(icd));
  Deno.renameSync(own, to);
}

if (import.meta.main) {
  const wanted = (Object.keys(FETCHED) as (keyof typeof FETCHED)[]).filter((id) => {
    try {
      return !Deno.statSync(`${fetchedFolder()}/${id}/icd.json`).isFile;
    } catch {
      return true;
    }
  });
  Deno.mkdirSync(fetchedFolder(), { recursive: true });
  // Beside its place, so that it can be renamed into it.
  const work = Deno.makeTempDirSync({ dir: fetchedFolder(), prefix: "fetching-" });
  try {
    if (wanted.length > 0) {
      for (const name of ["sources", "lists/partial", "cache/archives/partial"]) {
        Deno.mkdirSync(`${work}/${name}`, { recursive: true });
      }
      Deno.writeTextFileSync(`${work}/sources/own.sources`, sourceOf());
      await command("apt-get", [...aptFlags(work), "update"], work);
    }
    for (const id of wanted) {
      await fetch(id, work, aptFlags(work)).catch((error) =>
        console.warn(`${FETCHED[id]} cannot be had: ${error.message}`)
      );
    }
  } catch (error) {
    console.warn(`no further devices can be had: ${(error as Error).message}`);
  } finally {
    Deno.removeSync(work, { recursive: true });
  }
}
