/*
 * What MPI_Allreduce does with buffers of the CPU: as many bytes as all_reduce_bench.ts, in buckets, from one buffer to another or in place.
 * Prints a line for each repeat: seconds of each bucket, all beginning together.
 */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
  MPI_Init(&argc, &argv);
  int rank;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  long count = atol(argv[1]), bucket = atol(argv[2]);
  int repeats = atoi(argv[3]), in_place = atoi(argv[4]);
  float *from = malloc(4 * count), *to = malloc(4 * count);
  for (long i = 0; i < count; i++) from[i] = to[i] = (float)(rank + i % 7);
  for (int k = 0; k < repeats; k++) {
    for (long at = 0; at < count; at += bucket) {
      int part = (int)(count - at < bucket ? count - at : bucket);
      MPI_Barrier(MPI_COMM_WORLD);
      double began = MPI_Wtime();
      MPI_Allreduce(in_place ? MPI_IN_PLACE : from + at, to + at, part, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
      if (rank == 0) printf("%f ", MPI_Wtime() - began);
    }
    if (rank == 0) printf("\n");
  }
  MPI_Finalize();
  return 0;
}
