import { mpiLearners } from "../../../rl/cluster/mpi_learners.ts";
import type { Learners } from "../../../rl/cluster/learners.ts";
import type { Mpi } from "../../../rl/cluster/mpi.ts";

/** Learners of which the others are not there: a sum by them goes all its way between device and process, and nothing is sent or added. */
export function sumAlone(size: number): Learners {
  const nothing = () => Promise.resolve();
  const mpi: Partial<Mpi> = {
    ...{ rank: 0, size },
    meet: nothing,
    exchangeParts: nothing,
    spreadParts: nothing,
    add() {},
  };
  return mpiLearners(mpi as Mpi);
}
