import { readSystemFile } from "../../gpu/device/system_files.ts";
import type { Learners } from "./learners.ts";
import type { Mpi } from "./mpi.ts";

/** A learner that is there no more, or does nothing: the job cannot go on without it. */
export interface LostLearner {
  rank: number;
  /** Why, as far as it is known here. */
  reason: string;
}

/** Looks after the other learners of a job. */
export interface LearnerWatch extends Disposable {
  /** Tells the others that this one cannot go on. */
  fail(reason: string): void;
}

/** A process as others on its machine find it. */
interface Whereabouts {
  /** Of the kernel that it runs on, since that began. */
  boot: string | undefined;
  pid: number;
  /** When it began, in the kernel's ticks: numbers of processes are used again. */
  began: string | undefined;
}

// Four times a second: a few small files of the kernel each time.
const INTERVAL = 250;
/** Looks at which a process has to be found stopped, one after another, until it is lost: ten seconds in which this one was awake. */
const STOPPED_LOOKS = 40;

/**
 * Calls `lost` once when another learner says that it fails, or when its process on this machine is gone or stays stopped; then those on other
 * machines, which cannot see that, are told. Of the only process of another machine it is the launcher that learns, if it is gone, and ends
 * those that are left; that it is stopped nobody sees.
 */
export async function watchLearners(
  mpi: Mpi,
  learners: Learners,
  lost: (one: LostLearner) => void,
): Promise<LearnerWatch> {
  const own: Whereabouts = { boot: bootId(), pid: Deno.pid, began: lookAt(Deno.pid)?.began };
  const all = await learners.gather(own);
  const near = all.map((one, rank) => ({ ...one, rank })).filter(({ boot, pid, began, rank }) =>
    rank !== mpi.rank && boot === own.boot && began !== undefined && lookAt(pid)?.began === began
  );
  const far = all.map((_, rank) => rank).filter((rank) =>
    rank !== mpi.rank && near.every((one) => one.rank !== rank)
  );
  const stoppedLooks = new Map<number, number>();
  let ended = false;
  const end = (one: LostLearner) => {
    if (ended) return;
    ended = true;
    clearInterval(timer);
    lost(one);
  };
  const look = () => {
    const told = mpi.heard();
    if (told !== undefined) {
      const [rank] = told.split(" ", 1);
      return end({ rank: Number(rank), reason: told.slice(rank.length + 1) });
    }
    for (const { rank, pid, began } of near) {
      const found = lookAt(pid);
      const looks = found?.stopped ? 1 + (stoppedLooks.get(rank) ?? 0) : 0;
      stoppedLooks.set(rank, looks);
      const reason = found?.began !== began
        ? `its process ${pid} is gone (killed or crashed: mpirun says by which signal)`
        : looks >= STOPPED_LOOKS
        ? `its process ${pid} has been stopped for ${
          STOPPED_LOOKS * INTERVAL / 1000
        } s (by SIGSTOP, as kill -STOP does)`
        : undefined;
      if (reason === undefined) continue;
      tellThose(far, { rank, reason });
      return end({ rank, reason });
    }
  };
  // The number first: a long reason is cut.
  const tellThose = (ranks: readonly number[], { rank, reason }: LostLearner) => {
    for (const to of ranks) mpi.tell(to, `${rank} ${reason}`);
  };
  const timer = setInterval(look, INTERVAL);
  Deno.unrefTimer(timer);
  Deno.addSignalListener("SIGTERM", look);
  return {
    fail(reason) {
      tellThose(all.map((_, rank) => rank).filter((rank) => rank !== mpi.rank), { rank: mpi.rank, reason });
    },
    [Symbol.dispose]() {
      ended = true;
      clearInterval(timer);
      Deno.removeSignalListener("SIGTERM", look);
    },
  };
}

const bootId = () => readSystemFile("/proc/sys/kernel/random/boot_id")?.trim();

/** When a process began, and whether it is stopped; undefined where there is none, or it has ended and waits to be noticed. */
function lookAt(pid: number): { began: string; stopped: boolean } | undefined {
  const text = readSystemFile(`/proc/${pid}/stat`);
  // The program's name, in parentheses, may have blanks.
  const fields = text?.slice(text.lastIndexOf(")") + 2).split(" ");
  return fields === undefined || fields[0] === "Z" || fields[0] === "X"
    ? undefined
    : { began: fields[19], stopped: fields[0] === "T" };
}
