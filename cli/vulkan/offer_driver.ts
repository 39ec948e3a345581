import { isThere } from "../../model/files/on_disk.ts";
import { say } from "../terminal/print.ts";
import { writeMessage } from "../terminal/write_out.ts";

/** What may be missing, with the packages that bring it: Mesa's drivers have the software device with them. */
const MISSING = {
  driver: {
    found: "no Vulkan driver was found",
    packages: ["mesa-vulkan-drivers", "libvulkan1"],
    ...{ brings: "one that needs no GPU", installed: ", which need no GPU" },
  },
  loader: {
    found: "a Vulkan driver is here, but not Vulkan's loader (libvulkan.so.1)",
    packages: ["libvulkan1"],
    ...{ brings: "it", installed: "" },
  },
};

/**
 * Installs a Vulkan driver that needs no GPU where none is, or the loader alone: root does so after saying it, as in a fresh container;
 * others are asked first, or say SOFTCOT_INSTALL=1. Where nothing is installed, says what would help; the command then fails by itself.
 */
export function offerDriver(missing: keyof typeof MISSING): void {
  const { found, packages, brings, installed } = MISSING[missing];
  const names = packages.join(" ");
  const asRoot = Deno.env.get("SOFTCOT_NO_INSTALL") || !isOnPath("apt-get")
    ? undefined
    : rightToInstall(found, names);
  if (!asRoot) {
    say(`softcot: ${found}; on Debian or Ubuntu 'apt-get install ${names}' brings ${brings}`);
    return;
  }
  say(`softcot: ${found}: installing ${names}${installed} (SOFTCOT_NO_INSTALL=1 prevents it)`);
  const install = ["apt-get", "install", "-y", "--no-install-recommends", ...packages];
  if (
    runs([...asRoot, ...install]) || (runs([...asRoot, "apt-get", "update"]) && runs([...asRoot, ...install]))
  ) return;
  say(`softcot: that failed; try 'apt-get update && apt-get install ${names}' to see why`);
}

/** What goes before a command that installs; undefined where this user may not, or does not want to. */
function rightToInstall(found: string, names: string): string[] | undefined {
  const env = ["env", "DEBIAN_FRONTEND=noninteractive"];
  if (Deno.uid() === 0) return env;
  if (!isOnPath("sudo")) return undefined;
  const sudo = ["sudo", "-n", ...env];
  if (Deno.env.get("SOFTCOT_INSTALL") === "1") return sudo;
  if (!Deno.stdin.isTerminal() || !Deno.stderr.isTerminal()) return undefined;
  writeMessage(`softcot: ${found}; install ${names} with sudo? [y/N] `);
  // A terminal gives a line at a time.
  const line = new Uint8Array(1024);
  const answer = new TextDecoder().decode(line.subarray(0, Deno.stdin.readSync(line) ?? 0)).trim();
  if (!/^y(es)?$/i.test(answer)) return undefined;
  return runs(["sudo", "-v"], "inherit") ? sudo : undefined;
}

function runs([program, ...args]: string[], terminal: "inherit" | "null" = "null"): boolean {
  const stdio = { stdin: terminal, stdout: terminal, stderr: terminal };
  try {
    return new Deno.Command(program, { args, ...stdio }).outputSync().success;
  } catch {
    return false; // it is there, and cannot be started
  }
}

function isOnPath(program: string): boolean {
  const folders = (Deno.env.get("PATH") ?? "").split(":");
  return folders.some((folder) => folder.startsWith("/") && isThere(`${folder}/${program}`));
}
