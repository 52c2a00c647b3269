#!/usr/bin/env bash
# Load the image into a store of its own and make a flow video with podman: packaging/test-image.sh FILE.tar
# Needs root, podman and runc.
set -euo pipefail
cd "$(dirname "$0")/.."
fail() { echo "test-image.sh: $*" >&2; exit 1; }
file=$(realpath "$1")
work=$(mktemp -d)
trap 'podman rmi --all --force >/dev/null 2>&1 || true; umount "$work/storage/overlay" 2>/dev/null || true; rm -rf "$work"' EXIT
# runc without systemd, and low limits: podman runs on CI machines and in containers too.
cat >"$work/containers.conf" <<END
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "none"
END
cat >"$work/storage.conf" <<END
[storage]
driver = "overlay"
graphroot = "$work/storage"
runroot = "$work/run"
END
export CONTAINERS_CONF=$work/containers.conf CONTAINERS_STORAGE_CONF=$work/storage.conf
image=$(podman load --quiet --input "$file" | sed 's/^Loaded image: //')
run() { timeout 120 podman run --rm --network none "$@"; }

mkdir "$work/data"
cp testdata/clips/square-walkers.mp4 "$work/data/in.mp4"
chown -R 1000:1000 "$work/data"
chmod 755 "$work" "$work/data"
[[ $(run "$image") == *"make the flow video"* ]] || fail "without arguments there is no help"
[ "$(run --entrypoint id "$image" -u)" = 1000 ] || fail "the user is not 1000"
run --entrypoint sh "$image" -c '! command -v gcc apt-get curl' || fail "there is more in it than what a run needs"
run -v "$work/data:/data" "$image" doctor
run -v "$work/data:/data" "$image" run /data/in.mp4 --frames 4 --scale 0.5
[ "$(stat -c %u "$work/data/in-flow.mp4")" = 1000 ] || fail "there is no video of user 1000"

# The two first mistakes.
! run "$image" run in.mp4 2>"$work/log" || fail "a missing input is no error"
grep -q 'try: .*-v ' "$work/log" || fail "a missing input does not say how to mount its folder: $(cat "$work/log")"
! run --user 2000:2000 -v "$work/data:/data" "$image" run in.mp4 --frames 4 -o out.mp4 2>"$work/log" || fail "user 2000 wrote to the folder of user 1000"
grep -q 'try: .*--user' "$work/log" || fail "a folder of somebody else does not say how to choose the user: $(cat "$work/log")"
echo "test-image.sh: $(basename "$file") passed"
