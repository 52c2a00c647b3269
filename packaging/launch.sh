#!/bin/sh
# wwflow of the portable archive: says what this system lacks, or starts lib/wwflow.
folder=$(dirname "$(readlink -f "$0")")
program=$folder/lib/wwflow
fail() { printf 'wwflow: %s\n  try: %s\n' "$1" "$2" >&2; exit 1; }

[ -x "$program" ] ||
  fail "lib/wwflow is not in $folder: this file alone is not the program" "keep the folder of the archive together, and link to its wwflow: ln -s FOLDER/wwflow ~/.local/bin/"
[ "$(uname -sm)" = "@SYSTEM@" ] || fail "this archive is for @SYSTEM@, and this is $(uname -sm)" "the sources: README.md has the commands"
[ -e "@LOADER@" ] || fail "this system has no glibc (@LOADER@ is missing), as Alpine Linux has not" "the container image"
# The dynamic loader lists the libraries, and the versions of glibc and libstdc++ that are missing.
missing=$(LD_TRACE_LOADED_OBJECTS=1 "$program" 2>&1 | sed -n 's/^.*version `\(.*\)'"'"' not found.*$/\1/p; s/^[[:space:]]*\(.*\) => not found$/\1/p; s/^.*libraries: \(.*\): cannot open.*$/\1/p' | sort -u | tr '\n' ' ')
[ -z "$missing" ] ||
  fail "this system is too old, or lacks a library: ${missing% }" "glibc 2.36 and libstdc++ of GCC 12 or newer (Debian 12, Ubuntu 24.04; libstdc++6 is the package of the second), the container image, or the archive again where lib/ is incomplete"
exec "$program" "$@"
