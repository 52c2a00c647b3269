#!/usr/bin/env bash
# Install the Debian packages that are missing: scripts/debian.sh build, or scripts/debian.sh test (build's and those
# that only tests need). Nothing is done, and no rights are asked for, where all are there.
set -euo pipefail

build="gcc libc6-dev pkg-config libavcodec-dev libavdevice-dev libavfilter-dev libavformat-dev libavutil-dev libswresample-dev libswscale-dev libhdf5-dev libdeflate-dev"
test="ffmpeg libvulkan1 chromium-common openimageio-tools python3-numpy python3-torch libopenblas0-pthread python3-opencv python3-h5py python3-onnx python3-pil python3-matplotlib python3-pytest"
case "${1:-}" in
  build) wanted=$build ;;
  test) wanted="$build $test" ;;
  *) echo "usage: scripts/debian.sh build|test" >&2; exit 2 ;;
esac

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "debian.sh: this is no Debian: taking for granted that you have what these packages hold: $wanted" >&2
  exit 0
fi
missing=""
for package in $wanted; do
  dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q '^install ok installed$' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

sudo=""
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || { echo "debian.sh: install these as root, then go on: apt-get install$missing" >&2; exit 1; }
  sudo=sudo
fi
echo "Installing Debian packages:$missing" >&2
$sudo apt-get update -qq
# shellcheck disable=SC2086 # a list of words
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
