import { readSystemFile } from "../../gpu/device/system_files.ts";
import type { Learners } from "./learners.ts";
import type { Mpi } from "./mpi.ts";

/** A learner that is there no more: the job cannot go on without it. */
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

/**
 * Calls `lost` once when another learner says that it fails, or when its process on this machine is gone. Of a process on another machine it
 * is the launcher that learns, and ends those that are left.
 */
export async function watchLearners(
  mpi: Mpi,
  learners: Learners,
  lost: (one: LostLearner) => void,
): Promise<LearnerWatch> {
  const own: Whereabouts = { boot: bootId(), pid: Deno.pid, began: beganOf(Deno.pid) };
  const all = await learners.gather(own);
  const near = all.map((one, rank) => ({ ...one, rank })).filter(({ boot, pid, began, rank }) =>
    rank !== mpi.rank && boot === own.boot && began !== undefined && beganOf(pid) === began
  );
  let ended = false;
  const end = (one: LostLearner) => {
    if (ended) return;
    ended = true;
    clearInterval(timer);
    lost(one);
  };
  const look = () => {
    const told = mpi.heard();
    if (told) return end({ rank: told.rank, reason: told.text });
    const gone = near.find(({ pid, began }) => beganOf(pid) !== began);
    if (!gone) return;
    end({
      rank: gone.rank,
      reason: `its process ${gone.pid} is gone (killed or crashed: mpirun says by which signal)`,
    });
  };
  const timer = setInterval(look, INTERVAL);
  Deno.unrefTimer(timer);
  Deno.addSignalListener("SIGTERM", look);
  return {
    fail(reason) {
      for (let to = 0; to < mpi.size; to++) if (to !== mpi.rank) mpi.tell(to, reason);
    },
    [Symbol.dispose]() {
      ended = true;
      clearInterval(timer);
      Deno.removeSignalListener("SIGTERM", look);
    },
  };
}

const bootId = () => readSystemFile("/proc/sys/kernel/random/boot_id")?.trim();

/** When a process began; undefined where there is none, or it has ended and waits to be noticed. */
function beganOf(pid: number): string | undefined {
  const text = readSystemFile(`/proc/${pid}/stat`);
  // The program's name, in parentheses, may have blanks.
  const fields = text?.slice(text.lastIndexOf(")") + 2).split(" ");
  return fields === undefined || fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
}
