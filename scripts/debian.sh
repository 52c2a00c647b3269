#!/usr/bin/env bash
# Install missing Debian packages. Usage: scripts/debian.sh build|test|cluster|deb|package
# "build" is what compiling needs, "test" adds what the tests need, "cluster" adds Slurm and GNU parallel for the tests of examples/,
# "deb" and "package" have the tools of packaging/. If nothing is missing, root is not needed.
set -euo pipefail

build="gcc libc6-dev pkg-config libavcodec-dev libavdevice-dev libavfilter-dev libavformat-dev libavutil-dev libswresample-dev libswscale-dev libhdf5-dev libdeflate-dev"
test="ffmpeg libvulkan1 chromium chromium-common openimageio-tools python3-numpy python3-torch libopenblas0-pthread python3-opencv python3-h5py python3-onnx python3-pil python3-matplotlib python3-pytest tmux"
cluster="slurmctld slurmd slurm-client munge parallel"
deb="dpkg-dev"
package="$deb patchelf xz-utils mmdebstrap umoci skopeo podman runc jq"
case "${1:-}" in
  build) wanted=$build ;;
  test) wanted="$build $test" ;;
  cluster) wanted="$build $test $cluster" ;;
  deb) wanted="$build $deb" ;;
  package) wanted="$build $package" ;;
  *) echo "usage: scripts/debian.sh build|test|cluster|deb|package" >&2; exit 2 ;;
esac

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "debian.sh: not a Debian system. Make sure that the contents of these packages are installed: $wanted" >&2
  exit 0
fi
missing=""
for package in $wanted; do
  dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q '^install ok installed$' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

sudo=""
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || { echo "debian.sh: run as root, then continue: apt-get install$missing" >&2; exit 1; }
  sudo=sudo
fi
echo "Installing Debian packages:$missing" >&2
# Another apt may hold one of the locks. DPkg::Lock::Timeout does not cover the one of update.
until errors=$($sudo env LC_ALL=C apt-get update -qq 2>&1); do
  case $errors in
    *"Could not get lock"*) echo "Waiting for another apt to finish" >&2; sleep 10 ;;
    *) echo "$errors" >&2; exit 1 ;;
  esac
done
# shellcheck disable=SC2086 # a list of words
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=1800 $missing >/dev/null
