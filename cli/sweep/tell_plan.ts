import type { Print } from "../settings/define_command.ts";
import { say } from "../terminal/print.ts";
import { describePlan, jobStates } from "./describe_plan.ts";
import { doSweep } from "./do_sweep.ts";
import { forecast } from "./forecast.ts";
import { jobsOf } from "./jobs_of.ts";
import type { SweepWork } from "./sweep_flags.ts";
import type { SweepFolder } from "./sweep_folder.ts";
import type { SweepPlan } from "./sweep_plan.ts";

/** Lists what would run. Where nothing tells the speed yet the first runs that are not done are made, as many as are to run at a time: so fast they are then. */
export async function tellPlan(
  folder: SweepFolder,
  plan: SweepPlan,
  work: SweepWork,
  print: Print,
): Promise<void> {
  const { jobs, quiet } = work;
  const look = () => {
    const all = jobsOf(folder.path, plan);
    return { all, told: forecast(folder.path, all, jobs) };
  };
  let { all, told } = look();
  if (told.seconds === null) {
    const first = all.filter(({ parts }) => parts.some(({ isDone }) => !isDone))
      .flatMap(({ run }) => run ?? []).slice(0, jobs);
    if (first.length > 0) {
      if (!quiet) {
        say(`nothing tells the speed yet; made first, and kept: ${first.map(({ name }) => name).join(", ")}`);
      }
      await doSweep(folder, plan, work, first);
      ({ all, told } = look());
    }
  }
  const states = jobStates(folder.path, all, told);
  print(
    {
      ...{ folder: folder.path, seconds: told.seconds, bytes: told.bytes },
      ...{ deviceBytes: told.deviceBytes, jobs: states },
    },
    () => describePlan(states, told, jobs),
  );
}
