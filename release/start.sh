#!/bin/sh
# Starts the softcot that lies in the folder of this file, also through a link to it.
set -eu
here=./$0
case $0 in */*) here=$0 ;; *) [ -f "$here" ] || here=$(command -v -- "$0") ;; esac
while [ -L "$here" ]; do
  target=$(readlink "$here")
  case $target in /*) here=$target ;; *) here=${here%/*}/$target ;; esac
done
here=$(CDPATH='' cd -- "${here%/*}/" && pwd -P)
fail() {
  # Where it cannot be said, be it that a reader is gone, the status still tells.
  (exec >&2 && printf 'error: Cannot %s\nhint: %s\n' "$1" "$2") || :
  exit "${3:-1}"
}
[ "${1:-}" != --unpack ] ||
  fail "unpack: this copy is unpacked already, in $here" 'copy that folder, or take the one file that it came from' 2
# Deno cannot start in a folder that was removed, nor where the home is a file, as some services have it.
[ -n "$(pwd -P 2>/dev/null)" ] || fail 'start here: the working folder was removed' 'cd to one that is there'
# V8 reserves addresses, far more than it uses, and ends with a stack where it gets fewer.
# shellcheck disable=SC3045
addresses=$(ulimit -v 2>/dev/null) || addresses=
case $addresses in
  '' | *[!0-9]*) ;;
  *) [ "$addresses" -ge 36000000 ] ||
    fail "start here: ulimit -v leaves $((addresses / 1000000)) GB of addresses, 36 GB are needed" \
      'they are reserved, not used: raise or lift that limit (ulimit -v unlimited), or ask the scheduler for another one' ;;
esac
# A training opens some thirty files; with fewer Deno ends without a word, or with a stack.
# shellcheck disable=SC3045
case $(ulimit -n) in
  [0-9] | [0-5][0-9] | 6[0-3])
    (exec 2>/dev/null && ulimit -S -n 64) ||
      fail "start here: ulimit -n leaves $(ulimit -n) open files, 64 are needed" 'raise or lift that limit'
    ulimit -S -n 64
    ;;
esac
[ -d "${HOME:-/}" ] || [ ! -e "$HOME" ] || unset HOME
# What lies in folders above, or where it was started, is none of the program's; nor is compiled code of other programs. The user's own
# tasks and rewards, which have processes of their own, find their packages where the user says.
[ "${DENO_DIR:-}" = "$here/.deno" ] || export SOFTCOT_OWN_DENO_DIR="${DENO_DIR:-}"
export DENO_NO_UPDATE_CHECK=1 DENO_NO_PACKAGE_JSON=1 DENO_DIR="$here/.deno"
# A view goes over gigabytes and keeps little of them: V8's young generation would grow to 48 MB beside it.
heap=
[ "${1:-}" != view ] || heap=--v8-flags=--max-semi-space-size=2
# All grants, in a form that the program narrows to what a command needs.
exec "$here/deno" run --quiet --no-prompt --no-config --no-lock $heap --allow-read=/ --allow-write=/ '--allow-env=*,CE_*,RUBI_*' \
  --allow-run --allow-net --allow-import --allow-sys --allow-ffi --unstable-no-legacy-abort "$here/main.js" "$@"
