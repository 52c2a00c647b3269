#!/usr/bin/env bash
# Build the last commit twice, from two clones in different folders, the second with an empty build cache, and compare the
# files: packaging/reproducible.sh [deb|archive|image...] (default all). Other releases of Debian's packages give other files.
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- deb archive image
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
git clone -q . "$work/first"
git clone -q "$work/first" "$work/another/second" # the same commit, also when another one was made meanwhile
commit=$(git -C "$work/first" rev-parse --short HEAD)
for kind; do
  (cd "$work/first" && umask 022 && "packaging/$kind.sh" "$work/out1")
  (cd "$work/another/second" && umask 077 && GOCACHE=$work/cache TZ=Asia/Tokyo LC_ALL=C "packaging/$kind.sh" "$work/out2")
done
(cd "$work/out1" && sha256sum -- *) | tee "$work/sums"
(cd "$work/out2" && sha256sum --check --strict --quiet "$work/sums") ||
  { echo "reproducible.sh: these files differ between two builds of $commit" >&2; exit 1; }
[ "$(ls "$work/out1" | wc -l)" = $# ] || { echo "reproducible.sh: a file is missing" >&2; exit 1; }
echo "reproducible.sh: two builds of $commit are the same"
