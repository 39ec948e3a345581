import { UserError } from "../../gpu/errors.ts";
import { INSTALL_MPI } from "../../rl/cluster/mpi_library.ts";
import { isHeard, STATUS } from "../terminal/interrupt.ts";
import { ownStart } from "../sweep/own_command.ts";

/** Seconds that mpirun gives learners between SIGTERM and SIGKILL when one is lost, to say so; it waits for all of them, twice. */
const SECONDS_TO_END = 3;

/**
 * Starts this command line once more as several processes by mpirun, which train together, and waits for them. Ctrl-C reaches them as SIGUSR2,
 * the signal that mpirun passes on: they save after the update under way.
 *
 * @returns the status that this process is to end with
 * @throws UserError if there is no mpirun
 */
export async function startLearners(count: number): Promise<number> {
  const options = [
    ...["-n", `${count}`, "--oversubscribe", "--bind-to", "none"],
    ...["--mca", "odls_base_sigkill_timeout", `${SECONDS_TO_END}`],
  ];
  const args = [...options, Deno.execPath(), ...ownStart(), ...Deno.args];
  // Whoever runs softcot as root has decided that already.
  const env = { OMPI_ALLOW_RUN_AS_ROOT: "1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: "1" };
  let child: Deno.ChildProcess;
  try {
    // A group of its own, which the terminal's signals do not reach.
    child = new Deno.Command("mpirun", { args, env, detached: true }).spawn();
  } catch (error) {
    const found = error instanceof Deno.errors.NotFound
      ? "there is no mpirun on the PATH"
      : `mpirun cannot be started (${(error as Error).message})`;
    throw new UserError(`Cannot start ${count} learners: ${found}, Open MPI is needed`, INSTALL_MPI);
  }
  let stopped: keyof typeof STATUS | undefined;
  const handlers = (["SIGINT", "SIGTERM", "SIGHUP"] as const).filter(isHeard).map((name) => ({
    name,
    handler: () => {
      child.kill(stopped ? "SIGTERM" : "SIGUSR2");
      stopped = name;
    },
  }));
  for (const { name, handler } of handlers) Deno.addSignalListener(name, handler);
  const { code } = await child.status;
  for (const { name, handler } of handlers) Deno.removeSignalListener(name, handler);
  if (stopped && code !== 0) return STATUS[stopped];
  // 128 and more are of a learner that a signal ended: for whoever started this, it failed.
  return code >= 128 ? 1 : code;
}
