#!/bin/bash
# The flow video of one video, with a process for each part, by GNU parallel: on this machine, or on those of an SSH login file.
#
#   examples/parallel.sh in.mp4 flow.mp4 4 [options of wwflow run]
#   LOGINS=hosts.txt examples/parallel.sh in.mp4 flow.mp4 4       # hosts.txt: one [user@]host a line, for --sshloginfile
#
# Started again, it does only what is missing. On other machines the files have to be under the same paths.
set -eu

if [ $# -lt 3 ]; then
  echo "usage: $0 IN OUT PARTS [options of wwflow run]" >&2
  exit 2
fi
input=$1 output=$2 parts=$3
shift 3
options=()
[ -z "${LOGINS:-}" ] || options=(--sshloginfile "$LOGINS" --workdir .)

# A part that fails is tried three times: it continues after its last segment.
seq "$parts" | parallel --jobs "${JOBS:-$parts}" --retries 3 --halt soon,fail=1 "${options[@]}" \
  wwflow run "$(printf %q "$input")" -o "$(printf %q "$output.parts")" --part "{}/$parts" --quiet "$@"
wwflow join "$output.parts" -o "$output"
rm -r "$output.parts"
