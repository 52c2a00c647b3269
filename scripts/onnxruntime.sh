#!/usr/bin/env bash
# Fetch ONNX Runtime's library into wwflow's cache folder, once: the official npm package, its library checked
# against a pinned hash. Nothing is done where the library is there already, or where WWFLOW_ORT names another.
# internal/ortlib looks for it in the same folder; `internal/ortlib/script_test.go` holds the two together.
set -euo pipefail

version=1.30.0
case "$(uname -m)" in
  x86_64) arch=x64 hash=ffb75a925ba05e47b235bb66e3e3911714a80b328a9c9425539feb204aa32a23 ;;
  aarch64) arch=arm64 hash=1f549d46250b005580b597f4164984aaf75b3bcb9f3aeb07c7f8a8fe60b23c76 ;;
  *) echo "onnxruntime.sh: ONNX Runtime $version has no library for $(uname -m); build one and name it with WWFLOW_ORT" >&2; exit 1 ;;
esac

[ -z "${WWFLOW_ORT:-}" ] || exit 0
folder="${XDG_CACHE_HOME:-$HOME/.cache}/wwflow/onnxruntime-$version"
library="$folder/libonnxruntime.so.1"
[ ! -e "$library" ] || exit 0

command -v npm >/dev/null || { echo "onnxruntime.sh: npm is missing: install it (apt-get install npm), or name a library with WWFLOW_ORT" >&2; exit 1; }
mkdir -p "$folder"
work=$(mktemp -d "$folder/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
echo "Fetching ONNX Runtime $version (108 MiB, once) into $folder" >&2
npm pack --silent --pack-destination "$work" "onnxruntime-node@$version" >/dev/null
member="package/bin/napi-v6/linux/$arch/libonnxruntime.so.1"
tar -xzf "$work"/*.tgz -C "$work" "$member"
echo "$hash  $work/$member" | sha256sum --check --quiet || { echo "onnxruntime.sh: the library is not the one that was pinned; nothing was installed" >&2; exit 1; }
mv "$work/$member" "$library"
