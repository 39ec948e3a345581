import { UserError } from "../../gpu/errors.ts";
import { pause } from "../../gpu/pause.ts";
import { launched } from "../../rl/cluster/launched.ts";
import { ALONE, type Learners } from "../../rl/cluster/learners.ts";
import { watchLearners } from "../../rl/cluster/lost_learner.ts";
import { joinMpi } from "../../rl/cluster/mpi.ts";
import { mpiLearners } from "../../rl/cluster/mpi_learners.ts";
import { Interrupted } from "../terminal/interrupt.ts";
import { reportError } from "../terminal/report_error.ts";

/** The learners that this process trains with. */
export interface LearnerJob {
  learners: Learners;
  /** What is told of the run where another learner is lost: what of it is kept, and how it goes on. */
  place?: () => { kept: string; goOn: string } | undefined;
  /** Does what they do together; where this one fails, the others are told why. */
  together(work: () => Promise<void>): Promise<void>;
}

/** More than the time between two looks after the others. */
const MILLISECONDS_TO_HEAR = 700;

/**
 * Joins the learners that a launcher started; without one this process trains alone. When another one is lost, this process says so and ends.
 * @param wanted as --learners has it
 * @throws UserError if there are not as many, or Open MPI is not here
 */
export async function joinJob(wanted: number | undefined): Promise<LearnerJob> {
  if (launched() === undefined) return { learners: ALONE, together: (work) => work() };
  const mpi = joinMpi();
  if (wanted !== undefined && wanted !== mpi.size) {
    throw new UserError(
      `Cannot train with ${wanted} learners: the launcher started ${mpi.size}, as many are needed`,
      "leave --learners out under mpirun, or start softcot without mpirun",
    );
  }
  const learners = mpiLearners(mpi);
  const watch = await watchLearners(mpi, learners, ({ rank, reason }) => {
    const place = job.place?.();
    const why = `Cannot go on: learner ${rank} of ${mpi.size} is lost: ${reason}`;
    const status = reportError(
      new UserError(place ? `${why}; ${place.kept}` : why, place && `go on with: ${place.goOn}`),
    );
    // Whom this process's end reaches first should still find out whose came before.
    setTimeout(() => Deno.exit(status), MILLISECONDS_TO_HEAR);
  });
  const leave = () => {
    watch[Symbol.dispose]();
    mpi.leave();
  };
  const job: LearnerJob = {
    learners,
    async together(work) {
      try {
        await work();
      } catch (error) {
        // All of them stop together.
        if (error instanceof Interrupted) leave();
        else {
          watch.fail((error as Error).message);
          watch[Symbol.dispose]();
          await pause(MILLISECONDS_TO_HEAR);
        }
        throw error;
      }
      leave();
    },
  };
  return job;
}
