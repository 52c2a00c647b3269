#!/usr/bin/env bash
# Fetch the ONNX Runtime library into wwflow's cache folder: from the official npm package, checked against a fixed hash.
# Does nothing if the library is there already, or if WWFLOW_ORT names another one.
# internal/ortlib looks for the library in the same folder; a test there compares the two.
set -euo pipefail

version=1.30.0
case "$(uname -m)" in
  x86_64) arch=x64 hash=ffb75a925ba05e47b235bb66e3e3911714a80b328a9c9425539feb204aa32a23 ;;
  aarch64) arch=arm64 hash=1f549d46250b005580b597f4164984aaf75b3bcb9f3aeb07c7f8a8fe60b23c76 ;;
  *) echo "onnxruntime.sh: no ONNX Runtime $version for $(uname -m): build it and name it with WWFLOW_ORT" >&2; exit 1 ;;
esac

[ -z "${WWFLOW_ORT:-}" ] || exit 0
folder="${XDG_CACHE_HOME:-$HOME/.cache}/wwflow/onnxruntime-$version"
library="$folder/libonnxruntime.so.1"
[ ! -e "$library" ] || exit 0

command -v npm >/dev/null || { echo "onnxruntime.sh: npm is missing: install it (apt-get install npm), or name a library with WWFLOW_ORT" >&2; exit 1; }
mkdir -p "$folder"
work=$(mktemp -d "$folder/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
echo "Fetching ONNX Runtime $version (108 MiB) into $folder" >&2
npm pack --silent --pack-destination "$work" "onnxruntime-node@$version" >/dev/null
member="package/bin/napi-v6/linux/$arch/libonnxruntime.so.1"
tar -xzf "$work"/*.tgz -C "$work" "$member"
echo "$hash  $work/$member" | sha256sum --check --quiet || { echo "onnxruntime.sh: the library has another hash than expected; nothing was installed" >&2; exit 1; }
mv "$work/$member" "$library"
