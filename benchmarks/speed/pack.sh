#!/usr/bin/env bash
# Packs the programs and libraries that measure.sh needs, for a machine without Go, FFmpeg and network access:
#
#   benchmarks/speed/pack.sh FOLDER [PIECE]     writes FOLDER/part.00, part.01 ... of at most PIECE bytes (default 48M)
#
# ONNX Runtime is packed by scripts/gpu-runtime.sh. The C and C++ libraries are not packed: the other machine must have
# glibc 2.36 or newer, as in Debian 12.
set -euo pipefail
folder=${1:?usage: benchmarks/speed/pack.sh FOLDER [PIECE]} piece=${2:-48M}
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/bin" "$work/lib" "$folder"
scripts/go.sh build -ldflags '-s -w' -o "$work/bin" . ./benchmarks/speed
scripts/go.sh test -c -ldflags '-s -w' -o "$work/bin/" ./flow ./decode ./encode
ldd "$work/bin/wwflow" "$work/bin/flow.test" | awk '$3 ~ "^/" { print $3 }' | while read -r library; do
  case $(basename "$library") in
    libc.so.*|libm.so.*|libdl.so.*|librt.so.*|libpthread.so.*|libresolv.so.*|libstdc++.so.*|libgcc_s.so.*) ;;
    *) cp -L "$library" "$work/lib/" ;;
  esac
done
rm -f "$folder"/part.*
tar -C "$work" -c bin lib | xz -T0 -"${XZ_LEVEL:-3}" | split -b "$piece" -d - "$folder/part."
ls -l "$folder"
