#!/usr/bin/env bash
# One leg of training on a lent GPU, in one command:
#
#   training/gpu_leg.sh MINUTES [arguments of training.train]
#
# Needs .gpu/atlas.npz (python3 -m training.atlas --out .gpu/atlas.npz) and, to go on, .gpu/checkpoint.part* of the last leg
# (name .gpu in the device's `carry`). Leaves in $OUT: checkpoint.part* (at most 16 MiB each), log.csv, table.md, table.json.
# CONFIG, BATCH and BUDGET (minutes of the whole schedule) may be set; a CPU rehearsal is CONFIG=tiny BATCH=2 training/gpu_leg.sh 1 --evaluate-on 1
set -euo pipefail
minutes=${1:?usage: training/gpu_leg.sh MINUTES [arguments of training.train]}
shift
cd "$(dirname "$0")/.."
out=${OUT:-.gpu/out} run=/tmp/wwflow-run python=${PYTHON:-python3}
mkdir -p "$out" "$run"
export PYTHONUNBUFFERED=1
if [ ! -e "$run/checkpoint.pt" ] && ls .gpu/checkpoint.part* >/dev/null 2>&1; then
  "$python" -m training.parts join .gpu "$run/checkpoint.pt"
fi
[ -e "$run/checkpoint.pt" ] || "$python" -m training.cost --config "${CONFIG:-small}" --textures .gpu/atlas.npz --shape "${COST:-2x192x192}" --batch "${BATCH:-48}"
"$python" -m training.train --config "${CONFIG:-small}" --out "$run" --textures .gpu/atlas.npz --minutes "$minutes" ${BUDGET:+--budget "$BUDGET"} \
  --batch "${BATCH:-48}" --shapes "${SHAPES:-2x192x192,2x192x192,1x256x384,1x448x768}" --evaluate-every 4 "$@"
"$python" -m training.parts pack "$run/checkpoint.pt" "$out"
cp "$run/log.csv" "$out/"
"$python" -m training.evaluate "$run/checkpoint.pt" --textures .gpu/atlas.npz --synthetic-only --out /tmp/wwflow-evaluation
cp /tmp/wwflow-evaluation/table.* "$out/"
ls -l "$out"
