#!/usr/bin/env bash
# Run go for the installed FFmpeg: scripts/go.sh build .
# FFmpeg 5.1 (Debian 12) needs go.mod, FFmpeg 7.1 (Debian 13) ffmpeg7.mod and the build tag ffmpeg7; see internal/libav.
# For go without this script: export GOFLAGS="$(scripts/go.sh env GOFLAGS)"
set -euo pipefail

supported="wwflow builds with FFmpeg 5.1 (Debian 12) and 7.1 (Debian 13)"
command -v go >/dev/null || { echo "go.sh: Go is missing. wwflow builds with Go 1.26 or newer: https://go.dev/doc/install" >&2; exit 1; }
version=$(pkg-config --modversion libavcodec 2>/dev/null) ||
  { echo "go.sh: FFmpeg's headers are missing. $supported: run make setup, or install libavcodec-dev and pkg-config" >&2; exit 1; }
IFS=. read -r major minor _ <<<"$version"
if [ "$major" = 61 ] && [ "$minor" -ge 19 ]; then
  folder=$(cd "$(dirname "$0")/.." && pwd)
  export GOFLAGS="${GOFLAGS:+$GOFLAGS }'-modfile=$folder/ffmpeg7.mod' -tags=ffmpeg7"
  # staticcheck also runs go outside of modules, where -modfile is an error.
  [ "${1:-} ${2:-}" != "tool staticcheck" ] || GOFLAGS="'-overlay=$folder/ffmpeg7.json' -tags=ffmpeg7"
elif [ "$major" != 59 ] || [ "$minor" -lt 37 ]; then
  echo "go.sh: this machine has another FFmpeg (libavcodec $version). $supported" >&2
  exit 1
fi
exec go "$@"
