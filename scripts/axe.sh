#!/usr/bin/env bash
# Fetch axe-core, which finds faults of accessibility in the viewer's page, into wwflow's cache folder: from npm, checked
# against a fixed hash. Only a test uses it. Does nothing if it is there already.
set -euo pipefail

version=4.14.1
hash=29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c
folder="${XDG_CACHE_HOME:-$HOME/.cache}/wwflow"
script="$folder/axe-core-$version.js"
[ ! -e "$script" ] || exit 0

command -v npm >/dev/null || { echo "axe.sh: npm is missing: install it (apt-get install npm)" >&2; exit 1; }
mkdir -p "$folder"
work=$(mktemp -d "$folder/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
npm pack --silent --pack-destination "$work" "axe-core@$version" >/dev/null
tar -xzf "$work"/*.tgz -C "$work" package/axe.min.js
echo "$hash  $work/package/axe.min.js" | sha256sum --check --quiet || { echo "axe.sh: axe-core has another hash than expected; nothing was installed" >&2; exit 1; }
mv "$work/package/axe.min.js" "$script"
