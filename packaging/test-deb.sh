#!/usr/bin/env bash
# Install a package in a minimal root, make a flow video without a network, remove the package again:
# packaging/test-deb.sh SUITE FILE.deb
set -euo pipefail
cd "$(dirname "$0")/.."
suite=$1 deb=$(realpath "$2")
scripts/debian-root.sh make "$suite" "build/roots/$suite"
root=build/roots/test-deb-$suite
rm -rf "$root"
trap 'rm -rf "$root"' EXIT
cp -a --reflink=auto "build/roots/$suite" "$root"
mkdir -p build/out
rm -f "build/out/$suite.mp4"
in_root() { scripts/debian-root.sh run "$root" "$deb:/mnt/wwflow.deb" "$PWD/testdata:/mnt/testdata" "$PWD/build/out:/mnt/out" "$@"; }

in_root -- bash -euc '
  ! command -v gcc >/dev/null || { echo "the root has a compiler" >&2; exit 1; }
  apt-get update -qq
  SECONDS=0
  apt-get install -y --no-install-recommends /mnt/wwflow.deb | grep -E "^Need to get|^After this"
  echo "installed in $SECONDS s"'
in_root --offline -- bash -euc "
  wwflow doctor | head -5
  wwflow run /mnt/testdata/clips/square-walkers.mp4 --frames 4 --scale 0.5 -o /mnt/out/$suite.mp4
  test -s /usr/share/man/man1/wwflow.1.gz"
[ -s "build/out/$suite.mp4" ] || { echo "test-deb.sh: there is no video" >&2; exit 1; }
in_root --offline -- bash -euc 'apt-get purge -y wwflow >/dev/null'
left=$(find "$root" -xdev -iname '*wwflow*' -not -path '*/mnt/*' -not -path '*/root/.cache*')
[ -z "$left" ] || { echo "test-deb.sh: removal leaves $left" >&2; exit 1; }
echo "test-deb.sh: $(basename "$deb") passed in $suite"
