#!/usr/bin/env bash
# Unpack the archive in a minimal root and make a flow video without a network: packaging/test-archive.sh SUITE FILE.tar.xz
# In bullseye, which is too old, the program has to say so.
set -euo pipefail
cd "$(dirname "$0")/.."
suite=$1
scripts/debian-root.sh make "$suite" "build/roots/$suite"
mkdir -p build/out
rm -rf "build/archive-$suite" "build/out/archive-$suite.mp4"
trap 'rm -rf "build/archive-$suite"' EXIT
mkdir "build/archive-$suite"
tar -xJf "$2" -C "build/archive-$suite" --strip-components=1
if [ "$suite" = bullseye ]; then
  said=$(scripts/debian-root.sh run build/roots/bullseye --offline "$PWD/build/archive-bullseye:/opt/wwflow" -- sh -c '/opt/wwflow/wwflow version 2>&1; echo "exit $?"')
  grep -q 'too old.* GLIBC_2.36' <<<"$said" && grep -q 'try: glibc' <<<"$said" && grep -q 'exit 1' <<<"$said" ||
    { echo "test-archive.sh: in bullseye it says: $said" >&2; exit 1; }
  echo "test-archive.sh: $(basename "$2") says that bullseye is too old"
  exit
fi
scripts/debian-root.sh run "build/roots/$suite" --offline "$PWD/build/archive-$suite:/opt/wwflow" "$PWD/testdata:/mnt/testdata" "$PWD/build/out:/mnt/out" -- bash -euc "
  ! ls /usr/lib/*/libavcodec.so.* 2>/dev/null || { echo 'the root has FFmpeg' >&2; exit 1; }
  /opt/wwflow/wwflow doctor
  cp /opt/wwflow/wwflow /tmp/alone
  ! /tmp/alone version 2>/tmp/log && grep 'keep the folder' /tmp/log
  cp -r /opt/wwflow /tmp/damaged
  rm /tmp/damaged/lib/libavcodec.so.*
  ! /tmp/damaged/wwflow version 2>/tmp/log && grep 'lacks a library: libavcodec' /tmp/log
  ln -s /opt/wwflow/wwflow /tmp/wwflow
  /tmp/wwflow run /mnt/testdata/clips/square-walkers.mp4 --frames 4 --scale 0.5 -o /mnt/out/archive-$suite.mp4"
[ -s "build/out/archive-$suite.mp4" ] || { echo "test-archive.sh: there is no video" >&2; exit 1; }
echo "test-archive.sh: $(basename "$2") passed in $suite"
