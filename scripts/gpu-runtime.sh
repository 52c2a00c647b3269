#!/usr/bin/env bash
# Fetch ONNX Runtime with the CUDA and TensorRT providers into wwflow's cache folder, beside the CPU build:
#
#   scripts/gpu-runtime.sh               fetch it with npm, unless it is there
#   scripts/gpu-runtime.sh split FOLDER  write it as pieces of at most 64 MiB, for a machine without network access
#   scripts/gpu-runtime.sh join FOLDER   install it on that machine from the pieces; split copies this script beside them
#
# Every file is checked against the hashes below. Then name the folder with --ort or WWFLOW_ORT. It does not contain NVIDIA's
# own libraries (CUDA 13, cuDNN 9, TensorRT 10): `wwflow doctor` lists those that are missing.
#
# The library itself comes from onnxruntime-node, the providers from com.github.asus4.onnxruntime, both of the same version. The
# library in the second package was built without CUDA support; with it the providers would crash.
set -euo pipefail

version=1.29.0
core=onnxruntime-node@1.29.0
core_hash=5a3895541ef6ae220bcfc1db62fc6f9a32b213f5a6918a127ca63ef9ac68e63011eb4f47420f0cc221bf1e14a1a537097e6980773c71981f8c3124f703e4a23c
providers=com.github.asus4.onnxruntime.linux-x64-gpu@0.4.9
providers_hash=168a4884d13f360fafd97eb9c1573d7253c2042be1bc0e771f1a3653429fe5f19d56c0bb88203e999d0a2d6820710023ed3219ea9362751e000b5d20ef85e8eb
libraries="\
89688f5cf51c7e31befbb7b9101bc027799009b18d1baa9a5b1146a72e69538d  libonnxruntime.so.1
c6a12593396095f5670160e284c35d1700b7708cf3037b7042e2a5200ccae772  libonnxruntime_providers_shared.so
56cf3254b118ad837ccc4ed8f6d1b23504bbf7ef91b34cbc0b289cb7f10b3037  libonnxruntime_providers_cuda.so
ef6071798a339038ad66c428fb1a809cf8e499bffc3b6870e4e8bc4f4c6a6320  libonnxruntime_providers_tensorrt.so"

cache="${XDG_CACHE_HOME:-$HOME/.cache}/wwflow"
folder="$cache/onnxruntime-$version-cuda13"
work=""
trap '[ -z "$work" ] || rm -rf "$work"' EXIT

fail() { echo "gpu-runtime.sh: $*" >&2; exit 1; }

# complete FOLDER: all libraries are there and have the expected hashes.
complete() { (cd "$1" && sha256sum --check --quiet --strict <<<"$libraries") >/dev/null 2>&1; }

# install_from FOLDER: move the libraries from there to the cache folder, if they are complete.
install_from() {
  complete "$1" || fail "the libraries have other hashes than expected; nothing was installed"
  rm -rf "$folder"
  mv "$1" "$folder"
  echo "ONNX Runtime $version for CUDA 13 is in $folder: name it with --ort or WWFLOW_ORT, then run wwflow doctor" >&2
}

# package NAME@VERSION HASH: fetch the packed file, check it and print its path.
package() {
  local file
  file="$work/$(cd "$work" && npm pack --silent "$1" 2>"$work/npm.log")" || { cat "$work/npm.log" >&2; fail "npm cannot fetch $1"; }
  echo "$2  $file" | sha512sum --check --quiet --strict >/dev/null 2>&1 || fail "the package $1 has another hash than expected; nothing was installed"
  echo "$file"
}

fetch() {
  command -v npm >/dev/null || fail "npm is missing: install it (apt-get install npm), or split on another machine and join here"
  mkdir -p "$cache"
  work=$(mktemp -d "$cache/gpu-runtime.XXXXXX")
  echo "Fetching ONNX Runtime $version for CUDA 13 (280 MiB) into $folder" >&2
  local packed new="$work/new"
  mkdir "$new"
  packed=$(package "$core" "$core_hash")
  tar -xzf "$packed" -C "$new" --no-same-owner --strip-components=5 package/bin/napi-v6/linux/x64/libonnxruntime.so.1
  rm "$packed"
  packed=$(package "$providers" "$providers_hash")
  tar -xzf "$packed" -C "$new" --no-same-owner --strip-components=4 --wildcards 'package/Plugins/Linux/x64/libonnxruntime_providers_*.so'
  chmod 644 "$new"/*
  install_from "$new"
}

split_into() {
  mkdir -p "$1"
  [ -z "$(ls -A "$1")" ] || fail "$1 is not empty: name another folder"
  cp "$0" "$1/gpu-runtime.sh"
  # shellcheck disable=SC2046 # the names have no spaces
  tar -C "$folder" --sort=name --owner=0 --group=0 --mtime=@0 -cf - $(awk '{print $2}' <<<"$libraries") | gzip -n | split -b 64M -d - "$1/gpu-runtime.tar.gz."
  (cd "$1" && sha256sum gpu-runtime.tar.gz.* >SHA256SUMS)
  echo "$(wc -l <"$1/SHA256SUMS") pieces are in $1: copy the folder to the other machine and run there, in it: bash gpu-runtime.sh join ." >&2
}

join_from() {
  [ -e "$1/SHA256SUMS" ] || fail "$1 has no SHA256SUMS: name the folder that split wrote"
  local report
  report=$(cd "$1" && sha256sum --check --quiet --strict SHA256SUMS 2>&1) || fail "a piece is missing or damaged, copy it again; nothing was installed:"$'\n'"$report"
  mkdir -p "$cache"
  work=$(mktemp -d "$cache/gpu-runtime.XXXXXX")
  mkdir "$work/new"
  local piece pieces=()
  while read -r _ piece; do pieces+=("$1/$piece"); done <"$1/SHA256SUMS"
  cat "${pieces[@]}" | tar -xzf - --no-same-owner -C "$work/new"
  install_from "$work/new"
}

[ "$(uname -sm)" = "Linux x86_64" ] || fail "these libraries are not available for $(uname -sm)"
case "${1:-}:$#" in
  :0) complete "$folder" || fetch ;;
  split:2)
    complete "$folder" || fetch
    split_into "$2"
    ;;
  join:2) join_from "$2" ;;
  *) echo "usage: scripts/gpu-runtime.sh [split FOLDER | join FOLDER]" >&2; exit 2 ;;
esac
