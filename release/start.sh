#!/bin/sh
# Starts the softcot that lies in the folder of this file, also through a link to it.
set -eu
here=$0
while [ -L "$here" ]; do
  target=$(readlink "$here")
  case $target in /*) here=$target ;; *) here=${here%/*}/$target ;; esac
done
case $here in */*) folder=${here%/*} ;; *) folder=. ;; esac
here=$(CDPATH='' cd -- "$folder/" && pwd -P)
# Without this Deno loads the GL backend too, which is slower and makes it abort now and then.
export DENO_WEBGPU_BACKEND="${DENO_WEBGPU_BACKEND:-vulkan}" DENO_NO_UPDATE_CHECK=1 DENO_NO_PACKAGE_JSON=1
exec "$here/deno" run --quiet --no-prompt --allow-all --no-config --no-lock "$here/main.js" "$@"
