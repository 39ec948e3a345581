/**
 * Files of the kernel about this process and this machine, read through the C library: Deno itself reads /proc and /sys with all
 * permissions only, which this program gives up (Linux; elsewhere there are none).
 *
 * @module
 */

/** The text of such a file; undefined where it is not there, or `ffi` is not granted. */
export function readSystemFile(path: string): string | undefined {
  return withFile(path, ({ read }, file) => {
    const buffer = new Uint8Array(65_536);
    let at = 0;
    for (let count = 1; count > 0 && at < buffer.length;) {
      count = Number(read(file, buffer.subarray(at), BigInt(buffer.length - at)));
      if (count > 0) at += count;
    }
    return new TextDecoder().decode(buffer.subarray(0, at));
  });
}

/** Names in such a folder. */
export function listSystemFolder(path: string): string[] {
  return withFile(path, ({ getdents64 }, folder) => {
    const names: string[] = [];
    const buffer = new Uint8Array(65_536);
    for (let end = 1; end > 0;) {
      end = Number(getdents64(folder, buffer, BigInt(buffer.length)));
      // struct linux_dirent64: inode u64, offset i64, length u16, type u8, name up to a zero.
      for (let at = 0; at < end;) {
        const length = buffer[at + 16] | buffer[at + 17] << 8;
        const name = buffer.subarray(at + 19, buffer.indexOf(0, at + 19));
        names.push(new TextDecoder().decode(name));
        at += length;
      }
    }
    return names.filter((name) => name !== "." && name !== "..");
  }) ?? [];
}

/**
 * Makes a symbolic link (Linux). Deno itself does so with the right to read and write everything only, whatever the link leads to.
 *
 * @returns whether it was made
 */
export function makeLink(target: string, path: string): boolean {
  const [from, to] = [target, path].map((text) => new TextEncoder().encode(`${text}\0`));
  return libc()?.symlink(from, to) === 0;
}

/** Sets a file's or a folder's times to now (Linux), which Deno does with the right to write there only. */
export function touch(path: string): void {
  libc()?.utimes(new TextEncoder().encode(`${path}\0`), null);
}

/**
 * Has writes to stdout and stderr wait while a pipe is full (Linux), as they do unless another program that holds it, say the one that
 * reads it, has set it to refuse instead: what is written then would be lost.
 */
export function waitOnWrites(): void {
  const [GET_FLAGS, SET_FLAGS, NO_WAIT] = [3, 4, 0o4000];
  for (const file of [1, 2]) {
    const flags = libc()?.fcntl(file, GET_FLAGS, 0) ?? -1;
    if (flags !== -1 && flags & NO_WAIT) libc()?.fcntl(file, SET_FLAGS, flags & ~NO_WAIT);
  }
}

/** Opens the C library, so that the right to open one may be given up. */
export function openLibc(): void {
  libc();
}

/** Lets a thread of this process run on these cores alone. */
export function setAffinity(thread: number, mask: Uint8Array<ArrayBuffer>): void {
  libc()?.sched_setaffinity(thread, BigInt(mask.length), mask);
}

type Libc = Deno.DynamicLibrary<typeof FUNCTIONS>["symbols"];

const FUNCTIONS = {
  open: { parameters: ["buffer", "i32"], result: "i32" },
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  symlink: { parameters: ["buffer", "buffer"], result: "i32" },
  utimes: { parameters: ["buffer", "pointer"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
  getdents64: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  sched_setaffinity: { parameters: ["i32", "usize", "buffer"], result: "i32" },
} as const;

let opened: Libc | null | undefined;

function libc(): Libc | null {
  return opened ??= open();
}

function open(): Libc | null {
  // Without the permission, opening a library would ask the user for it.
  if (Deno.build.os !== "linux" || Deno.permissions.querySync({ name: "ffi" }).state !== "granted") {
    return null;
  }
  try {
    return Deno.dlopen("libc.so.6", FUNCTIONS).symbols;
  } catch {
    return null;
  }
}

function withFile<T>(path: string, use: (symbols: Libc, file: number) => T): T | undefined {
  const symbols = libc();
  const file = symbols?.open(new TextEncoder().encode(`${path}\0`), 0) ?? -1;
  if (!symbols || file < 0) return undefined;
  try {
    return use(symbols, file);
  } finally {
    symbols.close(file);
  }
}
