/** A NATS server of a test's own: on a free port of this machine, with a folder of its own. */
export interface NatsServer extends AsyncDisposable {
  url: string;
  /** Of the process that runs now. */
  pid(): number;
  /** Where it keeps what it stores. */
  store: string;
  /** Ends it by force, and starts it again on the same port, with the same folder or an empty one. */
  restart(options?: { forgets?: boolean }): Promise<void>;
  stop(): Promise<void>;
}

/** Where Debian's package puts it, which is not on every PATH. */
const PROGRAMS = ["nats-server", "/usr/sbin/nats-server"];

let found: string | undefined;

function program(): string | undefined {
  return found ??= PROGRAMS.find((name) => {
    try {
      return new Deno.Command(name, { args: ["--version"], stdout: "null", stderr: "null" }).outputSync()
        .success;
    } catch {
      return false;
    }
  });
}

/** Registers a test that needs a server, which is left out, saying so, where there is no program for one. */
export function testWithNats(name: string, test: (context: Deno.TestContext) => Promise<void>): void {
  const ignore = program() === undefined;
  if (ignore) console.log(`skipped: ${name} (no nats-server here: apt-get install nats-server)`);
  Deno.test({ name, ignore, fn: test });
}

/** @param more arguments, such as a configuration */
export async function startNats(more: readonly string[] = []): Promise<NatsServer> {
  const folder = Deno.makeTempDirSync({ prefix: "softcot-nats-" });
  const port = freePort();
  let child: Deno.ChildProcess | undefined;
  const start = async () => {
    child = new Deno.Command(program()!, {
      args: ["-a", "127.0.0.1", "-p", `${port}`, "-js", "-sd", `${folder}/store`, ...more],
      ...{ stdin: "null", stdout: "null", stderr: "null" },
    }).spawn();
    for (let tries = 0; !await answers(port); tries++) {
      if (tries > 200) throw new Error(`nats-server did not start on port ${port}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const stop = async () => {
    try {
      child?.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await child?.status;
    child = undefined;
  };
  await start();
  return {
    url: `nats://127.0.0.1:${port}`,
    pid: () => child!.pid,
    store: `${folder}/store`,
    stop,
    async restart({ forgets = false } = {}) {
      await stop();
      if (forgets) Deno.removeSync(`${folder}/store`, { recursive: true });
      await start();
    },
    async [Symbol.asyncDispose]() {
      await stop();
      Deno.removeSync(folder, { recursive: true });
    },
  };
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function answers(port: number): Promise<boolean> {
  try {
    using _ = await Deno.connect({ hostname: "127.0.0.1", port });
    return true;
  } catch {
    return false;
  }
}
