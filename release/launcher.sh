#!/bin/sh
# softcot @VERSION@ for Linux on @MACHINE@ in one file: this script, and behind it an archive of Deno and the program.
# The first start unpacks it into a cache folder (SOFTCOT_CACHE names one); `--unpack DIR` unpacks it there, and starts nothing.
set -eu
id=@ID@ machine=@MACHINE@ files=@FILES@ size=@SIZE@ offset=@OFFSET@ bytes=@BYTES@ sha256=@SHA256@
path=${PATH-} PATH=${PATH:+$PATH:}/usr/bin:/bin new='' why='' dir='' self=./$0 user=$(id -u)
say() { (exec >&2 && printf '%s\n' "$@") || :; } # a full disk, or a reader that is gone, changes nothing else
fail() { say "error: $1" "hint: $2" && exit "${3:-1}"; }
# shellcheck disable=SC3045
case $(ulimit -n) in [0-9] | [0-5][0-9] | 6[0-3]) (exec 2>/dev/null && ulimit -S -n 64) ||
  fail "Cannot start here: ulimit -n leaves $(ulimit -n) open files, 64 are needed" 'raise or lift that limit'; ulimit -S -n 64 ;; esac
# Whether nobody but this user, or root, can change what lies at these paths, and their links: asked as ./softcot asks.
is_own() {
  { ls -ldnL -- "$@" && ls -ldn -- "$@"; } 2>/dev/null | (
    seen=0 && while read -r mode _ owner group _; do
      seen=$((seen + 1))
      [ "$owner" = "$user" ] || [ "$owner" = 0 ] || exit 1
      case $mode in
        l* | d????????[tT]*) ;;
        ????????w*) exit 1 ;;
        ?????w*) [ "$group" = "$(id -g)" ] && [ "$(id -gn)" = "$(id -un)" ] || exit 1 ;; esac
    done
    [ $seen -eq $((2 * $#)) ])
}
is_whole() { [ -x "$1/deno" ] && set -- "$1"/* && [ $# -eq $files ] && sizes=$(stat -c +%s -- "$@") && [ $((0${sizes})) -eq $size ]; }
is_there() { is_whole "$1/$id" && is_own "${1%/*}/" "$1" "$1/$id" "$1/$id/deno" && app=$1/$id; }
cannot() { rm -rf "$new"; why="$why${why:+; }$1 $2" new=''; return 1; }
guard() { export LC_ALL=C && { [ -n "$dir" ] || umask 077; }; } # who may read a folder of --unpack is the user's to say
# Unpacks beside its place and renames: what lies there is whole, also where two start at once.
unpack() {
  app=$1/$id new=$( (guard && mkdir -p "$1" && mktemp -d "$1/.softcot-new.XXXXXXXX") 2>/dev/null) || cannot "$1" 'cannot be written' || return 1
  [ -n "$dir" ] || [ "$1" = "$(printf %s "$1" | tr -d '\n')" ] || cannot "$1" 'has a line break in its path' || return 1
  [ -n "$dir" ] || is_own "${1%/*}/" "$1" || cannot "$1" "is another user's, or others may write there" || return 1
  (printf '#!/bin/sh\n' >"$new/try") 2>/dev/null || cannot "$1" 'is full' || return 1
  { chmod 700 "$new/try" && "$new/try"; } 2>/dev/null || cannot "$1" 'lets no program run' || return 1
  say "softcot: unpacking into $app (once)"
  said=$( (guard && mkdir "$new/app" && tail -c +$offset "$self" | gzip -dc | tar xof - -C "$new/app" && is_whole "$new/app") 2>&1) || case $said in
    *'No space'* | *quota* | *'Wrote only'*) cannot "$1" 'is full' || return 1 ;;
    *) cannot "$1" "took no copy: $(printf %s "${said:-files are missing}" | tr '\n' ' ')" || return 1 ;; esac
  said=$("$new/app/deno" -V 2>&1) || fail "Cannot run Deno here: $said" \
    'it needs glibc 2.27 or newer and libgcc: a container of a newer Linux will do, one with musl, as Alpine, will not'
  sync "$new"/app/* "$new/app" 2>/dev/null || : # else a loss of power could leave names without what is in them
  mv -T "$new/app" "$app" 2>/dev/null || { [ -z "$dir" ] && { is_there "$1" || { rm -rf "$app" && mv -T "$new/app" "$app"; }; }; } 2>/dev/null ||
    cannot "$1" "holds a $id that cannot be replaced" || return 1
  rm -rf "$new"
}
each_place() {
  [ -z "${SOFTCOT_CACHE:-}" ] || { "$1" "$SOFTCOT_CACHE" && return 0 || return 1; }
  for place in "${XDG_CACHE_HOME:-.}/softcot" "${HOME:-.}/.cache/softcot" /var/tmp/softcot-"$user" \
    "${TMPDIR:-/tmp}/softcot-$user" /dev/shm/softcot-"$user"; do
    case $place in /*) ! "$1" "$place" || return 0 ;; esac; done
  return 1
}
case $0 in */*) self=$0 ;; *) [ -f "$self" ] || self=$(command -v -- "$0") ;; esac
case ${SOFTCOT_CACHE:-/} in /*) ;; *) SOFTCOT_CACHE=$PWD/$SOFTCOT_CACHE ;; esac
have=$(wc -c <"$self") need=$((offset - 1 + bytes))
[ "$have" -eq $need ] || fail "Cannot start $self: it is damaged, it has $have bytes and $need are needed" 'copy it again'
[ "$(uname -sm)" = "Linux $machine" ] || fail "Cannot start $self: it is for Linux $machine, this is $(uname -sm)" 'get the other file'
trap 'rm -rf "$new"' EXIT && trap 'exit 129' HUP && trap 'exit 130' INT && trap 'exit 143' TERM
if [ "${1:-}" = --unpack ] || ! each_place is_there; then
  for tool in tar gzip "$(command -v sha256sum || command -v shasum || echo sha256sum)"; do command -v "$tool" >/dev/null ||
    fail "Cannot unpack $self: $tool is not here" 'install it, or copy what --unpack DIR made elsewhere'; done
  found=$(tail -c +$offset "$self" | case $tool in *shasum) shasum -a 256 ;; *) sha256sum ;; esac) found=${found%% *}
  [ "$found" = $sha256 ] || fail "Cannot unpack $self: it is damaged, its SHA-256 is $found and $sha256 is needed" 'copy it again'
  if [ "${1:-}" = --unpack ]; then
    dir=${2:-} && while [ "$dir" != "${dir%/}" ]; do dir=${dir%/}; done
    case $#/${2:-}/${dir##*/} in [!2]* | 2[!/]* | 2/-* | */ | */. | */..) shift &&
      fail "Cannot unpack into '$*': one new folder is needed" 'softcot --unpack DIR (./DIR where it begins with -)' 2 ;; esac
    case $dir in /*) ;; *) dir=$PWD/$dir ;; esac
    [ ! -e "$dir" ] && [ ! -L "$dir" ] || rmdir "$dir" 2>/dev/null || fail "Cannot unpack into $dir: something lies there" 'name a new folder'
    id=${dir##*/} place=${dir%/*}
    unpack "${place:-/}" || fail "Cannot unpack: $why" 'name a folder with 130 MB free, where programs may run'
    say "softcot: start it with $dir/softcot" && exit 0
  fi
  each_place unpack || fail "Cannot unpack: $why" 'set SOFTCOT_CACHE to a folder of yours with 130 MB free, where programs may run'
  find "${app%/*}" -maxdepth 1 \( -name 'softcot-[0-9]*.[0-9]*-????????????' -mtime +30 -exec test -x {}/deno \; \
    -o -name '.softcot-new.????????' -mmin +60 \) -exec rm -rf {} + 2>/dev/null || :
fi
touch -c "$app" 2>/dev/null || :
PATH=$path exec "$app/softcot" "$@"
