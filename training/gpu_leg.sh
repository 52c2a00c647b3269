#!/usr/bin/env bash
# One leg of training on a lent GPU, in one command:
#
#   training/gpu_leg.sh MINUTES [arguments of training.train]
#
# Needs .gpu/atlas.npz (python3 -m training.atlas --out .gpu/atlas.npz) and, to go on, .gpu/checkpoint.part* of the last leg
# (name .gpu in the device's `carry`). Leaves in $OUT: checkpoint.part* (at most 16 MiB each), log.csv, table.md, table.json.
# CONFIG, BATCH, SHAPES and BUDGET (minutes of the whole schedule) may be set; CARRIED is another folder than .gpu, FRAMES how many
# synthetic frames are measured, beside a third as many in Full HD. `make test` rehearses two legs on the CPU (training/tests/test_leg.py).
set -euo pipefail
minutes=${1:?usage: training/gpu_leg.sh MINUTES [arguments of training.train]}
shift
cd "$(dirname "$0")/.."
carried=${CARRIED:-.gpu} run=${TMPDIR:-/tmp}/wwflow-run python=${PYTHON:-python3}
out=${OUT:-$carried/out}
mkdir -p "$out" "$run"
export PYTHONUNBUFFERED=1
if [ ! -e "$run/checkpoint.pt" ] && ls "$carried"/checkpoint.part* >/dev/null 2>&1; then
  "$python" -m training.parts join "$carried" "$run/checkpoint.pt"
fi
[ -e "$run/checkpoint.pt" ] || "$python" -m training.cost --config "${CONFIG:-small}" --textures "$carried/atlas.npz" --shape "${COST:-2x192x192}" --batch "${BATCH:-48}"
"$python" -m training.train --config "${CONFIG:-small}" --out "$run" --textures "$carried/atlas.npz" --minutes "$minutes" ${BUDGET:+--budget "$BUDGET"} \
  --batch "${BATCH:-48}" --shapes "${SHAPES:-2x192x192,2x192x192,1x256x384,1x448x768}" --evaluate-every 4 "$@"
"$python" -m training.parts pack "$run/checkpoint.pt" "$out"
cp "$run/log.csv" "$out/"
"$python" -m training.evaluate "$run/checkpoint.pt" --textures "$carried/atlas.npz" --synthetic-only ${FRAMES:+--frames "$FRAMES"} --out "$run/evaluation"
cp "$run"/evaluation/table.* "$out/"
ls -l "$out"
