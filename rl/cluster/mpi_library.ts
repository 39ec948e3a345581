import { UserError } from "../../gpu/errors.ts";

const LIBRARY = "libmpi.so.40";

/** How Open MPI comes to a machine; a hint. */
export const INSTALL_MPI =
  "apt-get install openmpi-bin brings it (libopenmpi3 the library alone); a training by one process needs none of it";

// Handles and requests are pointers, statuses are left out, counts are C's int.
const FUNCTIONS = {
  MPI_Init_thread: { parameters: ["pointer", "pointer", "i32", "buffer"], result: "i32" },
  MPI_Get_library_version: { parameters: ["buffer", "buffer"], result: "i32" },
  MPI_Error_string: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  MPI_Comm_set_errhandler: { parameters: ["pointer", "pointer"], result: "i32" },
  MPI_Comm_rank: { parameters: ["pointer", "buffer"], result: "i32" },
  MPI_Comm_size: { parameters: ["pointer", "buffer"], result: "i32" },
  MPI_Ibarrier: { parameters: ["pointer", "buffer"], result: "i32" },
  MPI_Test: { parameters: ["buffer", "buffer", "pointer"], result: "i32" },
  MPI_Iprobe: { parameters: ["i32", "i32", "pointer", "buffer", "buffer"], result: "i32" },
  MPI_Recv: { parameters: ["buffer", "i32", "pointer", "i32", "i32", "pointer", "pointer"], result: "i32" },
  MPI_Send: { parameters: ["buffer", "i32", "pointer", "i32", "i32", "pointer"], result: "i32" },
  // What is large is begun, and looked after between other things: a thread of its own would take longer than what it does.
  MPI_Ialltoallv: {
    parameters: [
      ...["buffer", "buffer", "buffer", "pointer"] as const,
      ...["buffer", "buffer", "buffer", "pointer"] as const,
      ...["pointer", "buffer"] as const,
    ],
    result: "i32",
  },
  MPI_Iallgatherv: {
    parameters: [
      ...["pointer", "i32", "pointer", "buffer", "buffer", "buffer"] as const,
      ...["pointer", "pointer", "buffer"] as const,
    ],
    result: "i32",
  },
  MPI_Reduce_local: { parameters: ["buffer", "buffer", "i32", "pointer", "pointer"], result: "i32" },
  // What takes long and is small runs beside the event loop.
  MPI_Allgather: {
    parameters: ["buffer", "i32", "pointer", "buffer", "i32", "pointer", "pointer"],
    result: "i32",
    nonblocking: true,
  },
  MPI_Allgatherv: {
    parameters: ["buffer", "i32", "pointer", "buffer", "buffer", "buffer", "pointer", "pointer"],
    result: "i32",
    nonblocking: true,
  },
  MPI_Finalize: { parameters: [], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** Open MPI's functions, and the addresses that its handles are. */
export interface MpiLibrary {
  functions: Deno.DynamicLibrary<typeof FUNCTIONS>["symbols"];
  world: Deno.PointerValue;
  float: Deno.PointerValue;
  byte: Deno.PointerValue;
  sum: Deno.PointerValue;
  errorsReturn: Deno.PointerValue;
  /** In the place of a buffer: what is sent lies where it would be received. */
  inPlace: Deno.PointerValue;
}

let opened: MpiLibrary | undefined;

/**
 * Opens Open MPI's library (Linux). Its parts, loaded by itself, look for its symbols among those of the whole process, so that the C library's
 * own dlopen has to load it with RTLD_GLOBAL first.
 * @throws UserError if it is not here
 */
export function openMpiLibrary(): MpiLibrary {
  return opened ??= open();
}

const RTLD_NOW_GLOBAL = 0x2 | 0x100;

function open(): MpiLibrary {
  if (Deno.build.os !== "linux") {
    throw new UserError("Cannot join other learners: Open MPI is used on Linux alone, which is needed");
  }
  const c = Deno.dlopen("libc.so.6", {
    dlopen: { parameters: ["buffer", "i32"], result: "pointer" },
    dlsym: { parameters: ["pointer", "buffer"], result: "pointer" },
  }).symbols;
  const text = (text: string) => new TextEncoder().encode(`${text}\0`);
  const library = c.dlopen(text(LIBRARY), RTLD_NOW_GLOBAL);
  if (library === null) {
    throw new UserError(
      `Cannot join other learners: Open MPI's ${LIBRARY} is not on this machine, it is needed`,
      INSTALL_MPI,
    );
  }
  const address = (name: string) => c.dlsym(library, text(name));
  return {
    functions: Deno.dlopen(LIBRARY, FUNCTIONS).symbols,
    world: address("ompi_mpi_comm_world"),
    float: address("ompi_mpi_float"),
    byte: address("ompi_mpi_byte"),
    sum: address("ompi_mpi_op_sum"),
    errorsReturn: address("ompi_mpi_errors_return"),
    // Open MPI's mpi.h has it as an address that nothing lies at.
    inPlace: Deno.UnsafePointer.create(1n),
  };
}
