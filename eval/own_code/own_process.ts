import { dirname } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { UserError } from "../../gpu/errors.ts";

/** What a user grants own code. */
export interface OwnGrant {
  /** As Deno's `--allow-KIND`; `import` lets packages be fetched. */
  kind: "net" | "import" | "sys" | "ffi" | "read" | "write" | "env";
  /** The host, the path or the variable; empty of a kind that is granted whole. */
  value: string;
}

/** What own code may do, and how long it may take. */
export interface OwnRights {
  /** Beyond reading its own folder. */
  grants?: readonly OwnGrant[];
  /** Seconds without an answer after which it is ended; 60 where they are left out. */
  seconds?: number;
  /** Takes each line that it prints; stderr where it is left out. */
  say?: (line: string) => void;
}

/** Bytes that V8 may hold in own code's process, and that the process may hold in all (Linux). */
const [HEAP, ALL] = [2 * 2 ** 30, 3 * 2 ** 30];

/** What softcot's own modules ask for, which own code may import from a checkout. */
const OWN_MODULES = {
  read: ["mod.ts", "deno.json", "gpu", "model", "eval", "rl"],
  env: ["CE_*", "RUBI_*", "NODE_ENV"],
};

/** Variables that Deno itself needs, which own code does not see; and those by which it reaches registries. */
const FOR_DENO = [
  "HOME",
  "USERPROFILE",
  "LOCALAPPDATA",
  "SystemRoot",
  "DENO_DIR",
  "XDG_CACHE_HOME",
  "TMPDIR",
  "TEMP",
];
const FOR_NETS = [
  ...["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"].flatMap((name) => [name, name.toLowerCase()]),
  ...["DENO_CERT", "DENO_TLS_CA_STORE", "SSL_CERT_FILE", "SSL_CERT_DIR", "NPM_CONFIG_REGISTRY"],
];

/**
 * A process for one file of own code, in a group of its own, so that Ctrl-C reaches it through the command alone.
 *
 * @param path as it is named; `real`: where its links lead
 * @param onLine takes each line of its stdout
 * @returns the process, and how it ended, as words that follow the file's name
 * @throws UserError if it cannot be started
 */
export function ownProcess(
  path: string,
  real: string,
  rights: OwnRights & { seconds: number },
  onLine: (line: string) => void,
): { child: Deno.ChildProcess; ended: Promise<string> } {
  const { say = console.error } = rights;
  const child = spawned(path, real, rights);
  let isOutOfMemory = false;
  let isDying = false;
  const onError = (line: string) => {
    isDying ||= /^<--- Last few GCs|^# Fatal/.test(line);
    isOutOfMemory ||= isDying && /out of memory/i.test(line);
    if (!isDying && line !== "") say(line);
  };
  const ended = Promise.all([child.status, eachLine(child.stdout, onLine), eachLine(child.stderr, onError)])
    .then(([{ code, signal }]) =>
      isOutOfMemory
        ? `it took more than the ${HEAP / 2 ** 30} GB of memory that own code may have`
        : `its process ended, ${signal ? `by ${signal}` : `with status ${code}`}`
    );
  return { child, ended };
}

function spawned(path: string, real: string, { grants = [], seconds }: OwnRights & { seconds: number }) {
  const cannot = `Cannot run ${path}`;
  if (Deno.build.standalone) {
    throw new UserError(
      `${cannot}: a program made by deno compile runs no own code`,
      "take another build of softcot",
    );
  }
  const args = [
    ...["run", "--quiet", "--no-prompt", "--no-lock", `--v8-flags=--max-old-space-size=${HEAP / 2 ** 20}`],
    ...configFlags(),
    ...permissionFlags(cannot, [dirname(path), dirname(real)], grants),
    ...[
      new URL("./own_code_host.ts", import.meta.url).href,
      pathToFileURL(real).href,
      `${seconds}`,
    ],
  ];
  // Of memory outside of V8's heap, such as large arrays, the kernel alone can keep count.
  const bounded = [
    "-c",
    'ulimit -d "$0" 2>/dev/null; exec "$@"',
    `${ALL / 2 ** 10}`,
    Deno.execPath(),
    ...args,
  ];
  const isWindows = Deno.build.os === "windows";
  try {
    return new Deno.Command(isWindows ? Deno.execPath() : "/bin/sh", {
      args: isWindows ? args : bounded,
      ...{ stdin: "piped", stdout: "piped", stderr: "piped", detached: true },
      clearEnv: true,
      env: environment(grants),
    }).spawn();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
    throw new UserError(
      `${cannot}: this process may start no other, which own code runs in`,
      "grant it --allow-run",
    );
  }
}

/** Of the source, not of a built copy: nothing that lies above that is the program's. */
const isSource = /^file:.*\/eval\/own_code\/own_process\.ts$/.test(import.meta.url);
const beside = (name: string) => new URL(name, import.meta.url);

/** From the source its packages are there by their names. */
const configFlags = () => isSource ? ["--config", fileURLToPath(beside("../../deno.json"))] : ["--no-config"];

function permissionFlags(cannot: string, folders: readonly string[], grants: readonly OwnGrant[]): string[] {
  const of = (kind: OwnGrant["kind"]) => grants.filter((one) => one.kind === kind).map(({ value }) => value);
  const own = isSource ? OWN_MODULES.read.map((name) => fileURLToPath(beside(`../../${name}`))) : [];
  const guard = new URL("./own_code_guard.ts", import.meta.url);
  const code = guard.protocol === "file:" ? [fileURLToPath(guard), ...own] : [];
  const lists: Partial<Record<OwnGrant["kind"], string[]>> = {
    read: [...new Set([...folders, ...code, ...of("read")])],
    write: of("write"),
    env: [...OWN_MODULES.env, ...of("env")],
  };
  const comma = [...lists.read!, ...lists.write!].find((one) => one.includes(","));
  if (comma !== undefined) {
    throw new UserError(
      `${cannot}: the path ${comma} has a comma, which Deno takes for the end of it`,
      "rename it",
    );
  }
  const named = Object.entries(lists).filter(([, list]) => list.length > 0).map(([kind, list]) =>
    `--allow-${kind}=${list}`
  );
  const hosts = of("net").filter((host) => host !== "");
  const net = of("net").length === 0 ? [] : [hosts.length > 0 ? `--allow-net=${hosts}` : "--allow-net"];
  const whole = (["import", "sys", "ffi"] as const).filter((kind) => of(kind).length > 0).map((kind) =>
    `--allow-${kind}`
  );
  return [...named, ...net, ...whole, ...(of("import").length > 0 ? [] : ["--cached-only"])];
}

function environment(grants: readonly OwnGrant[]): Record<string, string> {
  const granted = grants.filter(({ kind }) => kind === "env").map(({ value }) => value);
  const reaches = grants.some(({ kind }) => kind === "net" || kind === "import");
  const named = [...FOR_DENO, ...(reaches ? FOR_NETS : []), ...granted].flatMap((name) => {
    const value = variable(name);
    return value === undefined ? [] : [[name, value]];
  });
  // A built copy keeps a folder of its own, and passes on the user's.
  const denoDir = variable("SOFTCOT_OWN_DENO_DIR");
  return {
    ...Object.fromEntries(named),
    ...(denoDir ? { DENO_DIR: denoDir } : {}),
    ...{ DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" },
  };
}

function variable(name: string): string | undefined {
  try {
    return Deno.env.get(name);
  } catch {
    return undefined; // not granted to whoever uses softcot as a library, or no name of a variable
  }
}

/** Takes lines as they come; without a line's end, no more of it is held than this, unless it is an answer. */
const LONGEST = 2 ** 16;

async function eachLine(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  take: (line: string) => void,
): Promise<void> {
  let parts: string[] = [];
  let held = 0;
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const [first, ...others] = text.split("\n");
    // The first part is what tells an answer: none of them is empty.
    if (first !== "") parts.push(first);
    held += first.length;
    for (const line of others) {
      take(parts.join(""));
      parts = line === "" ? [] : [line];
      held = line.length;
    }
    if (held <= LONGEST || parts[0].startsWith("\x1e")) continue;
    take(parts.join(""));
    parts = [];
    held = 0;
  }
  if (held > 0) take(parts.join(""));
}
