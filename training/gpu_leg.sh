#!/usr/bin/env bash
# One leg of training on a GPU machine, in one command:
#
#   training/gpu_leg.sh MINUTES [options of training.train]
#
# For one of several legs add --budget and the minutes of all of them.
#
# Input, in the folder .gpu: atlas.npz (python3 -m training.atlas --out .gpu/atlas.npz) and, after the first leg, checkpoint.part* of the leg before.
# Output, in the folder $OUT: checkpoint.part* (at most 16 MiB each; with the optimiser's state, so that the next leg goes on where this one ended),
# log.csv, table.md, table.json.
#
# Environment: CONFIG is the configuration (default: small), CARRIED another folder than .gpu, PYTHON another interpreter, FRAMES the number of
# synthetic frames in the final evaluation. training/tests/test_leg.py runs two legs on the CPU.
set -euo pipefail
minutes=${1:?usage: training/gpu_leg.sh MINUTES [options of training.train]}
shift
cd "$(dirname "$0")/.."
carried=${CARRIED:-.gpu} run=${TMPDIR:-/tmp}/wwflow-run python=${PYTHON:-python3}
out=${OUT:-$carried/out}
options=(--config "${CONFIG:-small}" --textures "$carried/atlas.npz" "$@")
mkdir -p "$out" "$run"
export PYTHONUNBUFFERED=1
if [ ! -e "$run/checkpoint.pt" ] && ls "$carried"/checkpoint.part* >/dev/null 2>&1; then
  "$python" -m training.parts join "$carried" "$run/checkpoint.pt"
fi
[ -e "$run/checkpoint.pt" ] || "$python" -m training.cost "${options[@]}"
"$python" -m training.train "${options[@]}" --out "$run" --minutes "$minutes"
"$python" -m training.parts pack --resume "$run/checkpoint.pt" "$out"
cp "$run/log.csv" "$out/"
"$python" -m training.evaluate "$run/checkpoint.pt" --textures "$carried/atlas.npz" --synthetic-only ${FRAMES:+--frames "$FRAMES"} --out "$run/evaluation"
cp "$run"/evaluation/table.* "$out/"
ls -l "$out"
