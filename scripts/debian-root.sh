#!/usr/bin/env bash
# Debian root folders for tests of other Debian releases and of packages. They need root, and mmdebstrap to make one.
#
#   scripts/debian-root.sh make SUITE ROOT [PACKAGE...]              a minimal root with apt, and these packages
#   scripts/debian-root.sh run ROOT [--offline] [FROM:TO...] -- COMMAND...
#                                                                    run a command in it; FROM is mounted at TO in it
#
# SUITE is a name such as bookworm or trixie. A root that exists is kept. The command has mounts and processes of its own,
# which end with it, and with --offline no network.
set -euo pipefail

fail() { echo "debian-root.sh: $*" >&2; exit 1; }
[ "$(id -u)" = 0 ] || fail "run as root"

make_root() {
  local suite=$1 root=$2
  shift 2
  [ ! -e "$root/etc/debian_version" ] || return 0
  command -v mmdebstrap >/dev/null || fail "mmdebstrap is missing: apt-get install mmdebstrap"
  mkdir -p "$(dirname "$root")"
  local include
  include=$(IFS=,; echo "$*")
  rm -rf "$root.new"
  mmdebstrap --quiet --variant=minbase ${include:+"--include=$include"} --customize-hook='rm -rf "$1"/var/cache/apt/archives/*.deb' \
    "$suite" "$root.new" >&2
  mv "$root.new" "$root"
}

run_in() {
  local root=$1 network="" mounts=()
  shift
  while [ "$1" != -- ]; do
    if [ "$1" = --offline ]; then network=--net; else mounts+=("$1"); fi
    shift
  done
  shift
  # The root is mounted on itself, because some programs look for the mount of /.
  # shellcheck disable=SC2016 # expanded by the inner shell
  exec unshare --mount --pid --fork --kill-child $network -- bash -euc '
    root=$1; count=$2; shift 2
    mount --bind "$root" "$root"
    mount --rbind /dev "$root/dev"
    mount -t proc proc "$root/proc"
    mount -t sysfs sysfs "$root/sys" 2>/dev/null || mount --rbind /sys "$root/sys"
    mount -t tmpfs tmpfs "$root/tmp"
    for ((i = 0; i < count; i++)); do
      from=${1%%:*} to=$root${1#*:}
      if [ -d "$from" ]; then mkdir -p "$to"; else mkdir -p "${to%/*}"; touch "$to"; fi
      mount --bind "$from" "$to"
      shift
    done
    [ ! -e /etc/resolv.conf ] || cp -L /etc/resolv.conf "$root/etc/resolv.conf"
    exec env -i HOME=/root LANG=C.UTF-8 TERM=dumb PATH=/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
      chroot "$root" "$@"
  ' bash "$(realpath "$root")" "${#mounts[@]}" "${mounts[@]}" "$@"
}

case "${1:-}" in
  make) [ $# -ge 3 ] || fail "usage: debian-root.sh make SUITE ROOT [PACKAGE...]"; shift; make_root "$@" ;;
  run) [ $# -ge 4 ] || fail "usage: debian-root.sh run ROOT [FROM:TO...] -- COMMAND..."; shift; run_in "$@" ;;
  *) fail "usage: debian-root.sh make|run ..." ;;
esac
