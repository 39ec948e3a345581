/** Starts the program that its arguments name, with a stdout that refuses what a full pipe cannot take at once, and ends as it does (Linux). */
const { fcntl } = Deno.dlopen("libc.so.6", {
  fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
}).symbols;
const [GET_FLAGS, SET_FLAGS, SET_SIZE, NO_WAIT] = [3, 4, 1031, 0o4000];
if (fcntl(1, SET_SIZE, 4096) < 0 || fcntl(1, SET_FLAGS, fcntl(1, GET_FLAGS, 0) | NO_WAIT) < 0) {
  throw new Error("Cannot set up stdout: it is no pipe");
}
const [program, ...args] = Deno.args;
Deno.exit((await new Deno.Command(program, { args, stdin: "null" }).spawn().status).code);
