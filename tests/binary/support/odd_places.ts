/** Places from which people start a file that they copied to a server, each with what has to come of it. */

/** One place: a script, the status that it has to end with, and what it has to say. */
export interface OddPlace {
  what: string;
  /**
   * Run by sh in an empty folder, `$BOX`, with the file copied to `$BOX/softcot`, and nothing else in the environment but a PATH and
   * HOME=$BOX/home, which does not exist. `$GO` are arguments of a short command; `look FOLDER` lists what lies in a folder, and
   * fails where nothing does; `plant FOLDER` lays a program into it that leaves `$BOX/mark` where it is run.
   */
  script: string;
  code: number;
  /** Said on either stream. */
  says?: RegExp;
  /** Mounts something, or is another user. */
  root?: boolean;
  /** Quick, and of the launcher's rules: run with all other tests. */
  short?: boolean;
}

/** What `$GO` says. */
const RIGHT = /^equal$/m;

/** A folder in which programs may not be run. */
const NOEXEC = "mount -t tmpfs -o noexec tmpfs";

/** The shared places that are left when a home cannot be used. */
const hide = (options: string) =>
  ["/var/tmp", "/dev/shm"].map((place) => `mount -t tmpfs ${options} tmpfs ${place}`).join(" && ");

/** All of them. */
export const ODD_PLACES: readonly OddPlace[] = [
  {
    what: "a link to a link, from another folder",
    script: 'ln -s softcot link; ln -s "$BOX/link" link2; cd / && "$BOX/link2" $GO',
    ...{ code: 0, says: RIGHT, short: true },
  },
  {
    what: "a name on the PATH",
    script: 'cd / && PATH="$BOX:$PATH" softcot $GO',
    ...{ code: 0, says: RIGHT },
  },
  {
    what: "sh softcot, with another softcot on the PATH",
    script:
      `mkdir bin; printf '#!/bin/sh\\necho another\\n' >bin/softcot; chmod +x bin/softcot; PATH="$BOX/bin:$PATH" sh softcot $GO`,
    ...{ code: 0, says: RIGHT },
  },
  {
    what: "spaces and quotes in the file's and the cache's path",
    script: `mkdir "a  b" && cp softcot "a  b/soft 'cot" && cd "a  b" && HOME="$BOX/a  b" "./soft 'cot" $GO`,
    ...{ code: 0, says: RIGHT, short: true },
  },
  {
    what: "SOFTCOT_CACHE as a relative path",
    script: "SOFTCOT_CACHE=here ./softcot $GO && look here",
    ...{ code: 0, says: /^softcot-\d\S+-[0-9a-f]{12}$/m },
  },
  {
    what: "a folder that was removed",
    script: 'mkdir gone && cd gone && rmdir "$BOX/gone" && "$BOX/softcot" $GO',
    ...{ code: 1, says: /^error: Cannot start here: the working folder was removed$/m },
  },
  {
    what: "few addresses",
    script: "ulimit -v 8000000 && ./softcot $GO",
    ...{ code: 1, says: /^error: Cannot start here: ulimit -v leaves 8 GB of addresses, 36 GB are needed$/m },
  },
  {
    what: "few open files, at the first start and later",
    script:
      `(ulimit -n 20 && ./softcot $GO); [ $? = 1 ] && ./softcot $GO && (ulimit -n 20 && ./softcot $GO); s=$?; look home/.cache/softcot/*/deno && exit $s`,
    code: 1,
    says: /^equal$[^]*(^error: Cannot start here: ulimit -n leaves 20 open files, 64 are needed\n[^]*){2}/m,
    short: true,
  },
  {
    what: "few open files that may be made more",
    script: "ulimit -S -n 16 && ./softcot $GO",
    ...{ code: 0, says: RIGHT },
  },
  {
    what: "a home that is a file",
    // Not into a shared place, where the next ones would find it.
    script: "HOME=/dev/null SOFTCOT_CACHE=$BOX/c ./softcot $GO",
    ...{ code: 0, says: RIGHT },
  },
  {
    what: "an empty PATH",
    script: "PATH= ./softcot $GO",
    ...{ code: 0, says: RIGHT, short: true },
  },
  {
    what: "a PATH without anything",
    script: "PATH=/nowhere /usr/bin/env ./softcot $GO",
    ...{ code: 0, says: RIGHT },
  },
  {
    what: "no network",
    script: "unshare -n ./softcot $GO",
    ...{ code: 0, says: RIGHT, root: true },
  },
  {
    what: "no HOME",
    script: `unshare -m sh -c '${hide("")} && unset HOME && "$BOX/softcot" $GO && look /var/tmp/softcot-0'`,
    ...{ code: 0, says: /^softcot-\d/m, root: true },
  },
  {
    what: "a read-only HOME",
    script: `mkdir home; unshare -m sh -c 'mount -t tmpfs -o ro tmpfs home && ${
      hide("")
    } && ./softcot $GO && look /var/tmp/softcot-0'`,
    ...{ code: 0, says: /^softcot-\d/m, root: true },
  },
  {
    what: "a HOME from which no program may be run",
    script: `mkdir home; unshare -m sh -c '${NOEXEC} home && ${
      hide("")
    } && ./softcot $GO && look /var/tmp/softcot-0'`,
    ...{ code: 0, says: /^softcot-\d/m, root: true },
  },
  {
    what: "no program may be run from HOME, /var/tmp, TMPDIR and /dev/shm",
    script: `mkdir home tmp; unshare -m sh -c '${NOEXEC} home && ${NOEXEC} tmp && ${
      hide("-o noexec")
    } && TMPDIR=$BOX/tmp ./softcot $GO'`,
    code: 1,
    says:
      /^error: Cannot unpack: .*\/home\/.cache\/softcot lets no program run; \/var\/tmp.*\nhint: set SOFTCOT_CACHE/m,
    root: true,
  },
  {
    what: "SOFTCOT_CACHE from which no program may be run",
    script: `mkdir c; unshare -m sh -c '${NOEXEC} c && SOFTCOT_CACHE=$BOX/c ./softcot $GO'`,
    ...{ code: 1, says: /^error: Cannot unpack: \S+\/c lets no program run$/m, root: true },
  },
  {
    what: "SOFTCOT_CACHE with a line break in its path",
    script: `SOFTCOT_CACHE="$BOX/a
b" ./softcot $GO`,
    ...{ code: 1, says: /^error: Cannot unpack: \S+\/a\nb has a line break in its path$/m, short: true },
  },
  {
    what: "SOFTCOT_CACHE that cannot be made",
    script: "touch file; SOFTCOT_CACHE=$BOX/file ./softcot $GO",
    ...{ code: 1, says: /^error: Cannot unpack: \S+\/file cannot be written$/m, short: true },
  },
  {
    what: "the whole system read-only but TMPDIR",
    script: `mkdir tmp; unshare -m sh -c 'mount -t tmpfs tmpfs tmp && mount -o remount,ro,bind / / && ${
      hide("-o ro")
    } && TMPDIR=$BOX/tmp ./softcot $GO && look tmp/softcot-0'`,
    ...{ code: 0, says: /^softcot-\d/m, root: true },
  },
  {
    what: "another user, without a home",
    script: `chmod 755 . && unshare -m sh -c '${
      hide("-o mode=1777")
    } && setpriv --reuid=65534 --regid=65534 --clear-groups env HOME=/nonexistent ./softcot $GO && look /var/tmp/softcot-65534'`,
    ...{ code: 0, says: /^softcot-\d/m, root: true },
  },
  {
    what: "a full disk",
    script:
      `mkdir c; unshare -m sh -c 'mount -t tmpfs -o size=60m tmpfs c && SOFTCOT_CACHE=$BOX/c ./softcot $GO; s=$?; look c; exit $s'`,
    ...{ code: 1, says: /^error: Cannot unpack: \S+\/c is full\nhint: set SOFTCOT_CACHE.*\n$/m, root: true },
  },
  {
    what: "a full HOME, with room elsewhere",
    script: `mkdir home; unshare -m sh -c 'mount -t tmpfs -o size=60m tmpfs home && ${
      hide("")
    } && ./softcot $GO && look /var/tmp/softcot-0'`,
    ...{ code: 0, says: /^equal$[^]*^softcot-\d/m, root: true },
  },
  {
    what: "a cache folder of one's own, with something planted in it: it is run, as the next two must not be",
    script: "plant c; SOFTCOT_CACHE=$BOX/c ./softcot $GO; [ -e mark ]",
    ...{ code: 0 },
  },
  {
    what: "a cache folder that others may write to, with a program planted in it",
    script: "plant c; chmod 777 c; SOFTCOT_CACHE=$BOX/c ./softcot $GO; s=$?; [ ! -e mark ] && exit $s",
    ...{ code: 1, says: /c is another user's, or others may write there$/m, short: true },
  },
  {
    what: "a cache folder of another user, with a program planted in it",
    script: "plant c; chown -R 65534 c; SOFTCOT_CACHE=$BOX/c ./softcot $GO; s=$?; [ ! -e mark ] && exit $s",
    ...{ code: 1, says: /c is another user's, or others may write there$/m, root: true },
  },
  {
    what: "a shared folder as SOFTCOT_CACHE, where another user has planted a program",
    script:
      "mkdir -m 1777 c; plant c; chown -R 65534 c/softcot-*; SOFTCOT_CACHE=$BOX/c ./softcot $GO; [ ! -e mark ] && echo none ran",
    ...{ code: 0, says: /^none ran$/m, root: true },
  },
  {
    what: "the same, as a user who cannot remove it",
    script: `chmod 755 .; mkdir -m 1777 c; plant c; chown -R 65533 c/softcot-*
      SOFTCOT_CACHE=$BOX/c setpriv --reuid=65534 --regid=65534 --clear-groups ./softcot $GO; s=$?; [ ! -e mark ] && exit $s`,
    ...{ code: 1, says: /c holds a softcot-\S+ that cannot be replaced$/m, root: true },
  },
  {
    what: "another user's link in a shared folder, to a place of one's own",
    script: `plant own; mkdir -m 1777 tmp; ln -s ../own tmp/softcot-$(id -u); chown -h 65534 tmp/softcot-*
      unshare -m sh -c '${
      hide("-o ro")
    } && HOME= TMPDIR=$BOX/tmp ./softcot $GO'; s=$?; [ ! -e mark ] && exit $s`,
    ...{ code: 1, says: /tmp\/softcot-0 is another user's, or others may write there/m, root: true },
  },
  {
    what: "a link of one's own instead of the cache folder",
    script: "mkdir big; mkdir -p home/.cache; ln -s ../../big home/.cache/softcot; ./softcot $GO && look big",
    ...{ code: 0, says: /^softcot-\d/m },
  },
  {
    what: "two first starts at once",
    script:
      "./softcot $GO >a 2>&1 & ./softcot $GO >b 2>&1; s=$?; wait $! && cat a b && look home/.cache/softcot | wc -l && exit $s",
    ...{ code: 0, says: /^equal$[^]*^equal$[^]*^1$/m },
  },
  {
    what: "killed while it unpacks, then started again",
    script:
      `./softcot $GO 2>/dev/null & until look home/.cache/softcot >/dev/null; do :; done; kill -KILL $!; wait $! 2>/dev/null
      ./softcot $GO && look home/.cache/softcot`,
    ...{ code: 0, says: /^equal$[^]*^softcot-\d/m },
  },
  {
    what: "stopped by SIGTERM while it unpacks",
    script:
      `./softcot $GO 2>/dev/null & until look home/.cache/softcot >/dev/null; do :; done; kill $!; wait $!; s=$?
      look home/.cache/softcot; exit $s`,
    ...{ code: 143, says: /^$/ },
  },
  {
    what: "its terminal goes while it unpacks",
    script:
      `./softcot $GO 2>/dev/null & until look home/.cache/softcot >/dev/null; do :; done; kill -HUP $!; wait $!; s=$?
      look home/.cache/softcot; exit $s`,
    ...{ code: 129, says: /^$/ },
  },
  {
    what: "a file cut on its way",
    script: "head -c 20000000 softcot >cut; chmod +x cut; ./cut $GO",
    ...{
      code: 1,
      says: /^error: Cannot start \.\/cut: it is damaged, it has 20000000 bytes and \d+ are needed$/m,
      short: true,
    },
  },
  {
    what: "a file cut on its way, with the program unpacked before",
    script: "./softcot $GO && head -c 20000000 softcot >cut; chmod +x cut; ./cut $GO",
    ...{ code: 1, says: /^error: Cannot start \.\/cut: it is damaged/m },
  },
  {
    what: "a file with a changed byte",
    script:
      "printf X | dd of=softcot bs=1 seek=30000000 conv=notrunc 2>/dev/null; ./softcot $GO; s=$?; ls -A home; exit $s",
    ...{
      code: 1,
      says:
        /^error: Cannot unpack \.\/softcot: it is damaged, its SHA-256 is [0-9a-f]{64} and [0-9a-f]{64} is/m,
      short: true,
    },
  },
  {
    what: "no tar",
    script: `unshare -m sh -c 'mount --bind /dev/null "$(command -v tar)" && ./softcot $GO'`,
    ...{ code: 1, says: /^error: Cannot unpack \.\/softcot: tar is not here$/m, root: true, short: true },
  },
  {
    what: "neither sha256sum nor shasum",
    script: `unshare -m sh -c 'for tool in sha256sum shasum; do
      mount --bind /dev/null "$(command -v $tool)" 2>/dev/null; done; ./softcot $GO'`,
    ...{ code: 1, says: /^error: Cannot unpack \.\/softcot: sha256sum is not here$/m, root: true },
  },
  {
    what: "a tar that fails for a reason of its own",
    script:
      `mkdir bin; printf '#!/bin/sh\\necho tar: not today >&2; exit 2\\n' >bin/tar; chmod +x bin/tar; PATH="$BOX/bin:$PATH" SOFTCOT_CACHE=$BOX/c ./softcot $GO`,
    ...{ code: 1, says: /^error: Cannot unpack: \S+\/c took no copy: tar: not today$/m, short: true },
  },
  {
    what: "a file of another machine",
    script:
      `mkdir bin; printf '#!/bin/sh\\necho Linux riscv64\\n' >bin/uname; chmod +x bin/uname; PATH="$BOX/bin:$PATH" ./softcot $GO`,
    ...{ code: 1, says: /it is for Linux \S+, this is Linux riscv64$/m, short: true },
  },
  {
    what: "an unpacked copy from which a file was removed",
    script:
      "./softcot $GO && rm home/.cache/softcot/softcot-*/train-*.js && ./softcot $GO && ls home/.cache/softcot/*/train-*",
    ...{ code: 0, says: /train-\w+\.js$[^]*unpacking[^]*unpacking/m },
  },
  ...[["main.js", "cut", "-s -1"], ["deno", "cut", "-s 1000000"], ["build.json", "emptied", "-s 0"]].map((
    [name, how, size],
  ) => ({
    what: `an unpacked copy in which ${name} is ${how}`,
    script:
      `./softcot $GO && truncate ${size} home/.cache/softcot/*/${name} && ./softcot $GO && ./softcot $GO && look home/.cache/softcot | wc -l`,
    ...{
      code: 0,
      says: /^(equal\n[^]*){3}^1\n(softcot: unpacking \S+ \S+ \(once\)\n){2}$/m,
      short: name === "main.js",
    },
  })),
  {
    what: "older versions: those not started for 30 days go, other folders stay",
    script:
      `for name in c/softcot-0.0.1-0123456789ab c/softcot-0.0.2-0123456789ab c/softcot-notes c/.softcot-new.12345678; do
        mkdir -p $name && touch $name/deno && chmod 755 $name/deno; done
      mkdir c/softcot-2.5-on-my-own-task; cd c
      touch -d '31 days ago' softcot-0.0.1-0123456789ab softcot-notes softcot-2.5-on-my-own-task .softcot-new.12345678
      SOFTCOT_CACHE=$BOX/c ../softcot $GO; s=$?; ls -A; exit $s`,
    code: 0,
    says:
      /^equal$[^]*^softcot-0\.0\.2-0123456789ab\nsoftcot-\d\S+\nsoftcot-2\.5-on-my-own-task\nsoftcot-notes$/m,
    short: true,
  },
  {
    what: "--unpack DIR, then a link to what lies there, read-only",
    script:
      `./softcot --unpack there && ln -s there/softcot link && unshare -m sh -c 'mount -o remount,ro,bind / / && ./link $GO'`,
    ...{ code: 0, says: /^equal$[^]*start it with \S+\/there\/softcot$/m, root: true },
  },
  {
    what:
      "--unpack DIR// below a folder that is yet to be made, for others to read; then sh and a link beside it",
    script: `umask 022; ./softcot --unpack for/all// && stat -c %a for for/all for/all/deno for/all/main.js
      cd for/all && ln -s softcot link && sh link $GO`,
    ...{
      code: 0,
      says: /^755\n755\n755\n644\nequal$[^]*start it with \S+\/for\/all\/softcot$/m,
      short: true,
    },
  },
  {
    what: "--unpack into a folder that holds something",
    script: "mkdir there; touch there/mine; ./softcot --unpack there",
    ...{ code: 1, says: /^error: Cannot unpack into \S+\/there: something lies there$/m, short: true },
  },
  {
    what: "--unpack into a link to nothing",
    script: "ln -s nothing there; ./softcot --unpack there; s=$?; [ -L there ] && exit $s",
    ...{ code: 1, says: /^error: Cannot unpack into \S+\/there: something lies there$/m },
  },
  {
    what: "--unpack into what is no name of a folder, into two, and into none",
    script:
      `mkdir in; cd in; for at in .. . // '' -x --help; do ../softcot --unpack "$at"; [ $? = 2 ] || exit 9; done
      ../softcot --unpack a b; [ $? = 2 ] && look . || ../softcot --unpack`,
    code: 2,
    says:
      /^(error: Cannot unpack into '(\.\.|\.|\/\/||-x|--help|a b)': one new folder is needed\nhint: softcot --unpack DIR.*\n){8}$/,
    short: true,
  },
  {
    what: "--unpack of what is unpacked already",
    script: "./softcot --unpack there && there/softcot --unpack again; s=$?; [ ! -e again ] && exit $s",
    ...{ code: 2, says: /^error: Cannot unpack: this copy is unpacked already, in \S+\/there$/m },
  },
  ...["2>&-", "2>/dev/full", "2>&1 | true"].map((nowhere) => ({
    what: `--unpack DIR, then a first start, where nothing can be said: ${nowhere}`,
    script: `./softcot --unpack there ${nowhere}; s=$?; there/softcot $GO && [ ! -e home ] || exit 9
      ./softcot $GO ${nowhere}; look home/.cache/softcot && exit $s`,
    ...{ code: 0, says: /^equal\n[^]*^softcot-\d\S+\n$/m, short: nowhere === "2>&-" },
  })),
  {
    what: "what is refused, where nothing can be said: 2>&-, 2>/dev/full",
    script:
      `touch file; export SOFTCOT_CACHE=$BOX/file; ./softcot $GO 2>&-; [ $? = 1 ] && ./softcot $GO 2>/dev/full`,
    ...{ code: 1, says: /^$/ },
  },
  {
    what: "configurations of other programs above the cache and where it is started",
    script: `mkdir -p home/.cache; for f in deno.json home/deno.json; do echo '{' >$f; done
      for f in package.json home/package.json home/.cache/package.json; do echo '{ "type": "none", "workspaces": 3 }' >$f; done
      ./softcot $GO`,
    ...{ code: 0, says: RIGHT, short: true },
  },
  {
    what: "cache list and cache clear",
    script:
      `mkdir -p home/.cache/softcot/softcot-0.0.1-0123456789ab; touch home/.cache/softcot/softcot-0.0.1-0123456789ab/deno
      ./softcot cache list && ./softcot cache clear && ls home/.cache/softcot | wc -l`,
    ...{
      code: 0,
      says: /softcot-0\.0\.1-0123456789ab[^]*runs now[^]*removed \S+softcot-0\.0\.1-0123456789ab[^]*^1$/m,
      short: true,
    },
  },
];
