#!/usr/bin/env bash
# Measures everything that this machine supports, in about SECONDS (default 220), and writes a table:
#
#   benchmarks/speed/measure.sh [SECONDS]
#
# It writes table.md, the measurements (results.jsonl, whole-*.json) and a log to $OUT (default runs/speed). It downloads
# nothing and needs no root. Without Go, it takes the programs from the pieces that pack.sh wrote: PIECES=FOLDER.
# Other variables: WIDTH, HEIGHT (default 1920x1080), MODEL (default models/winwin-tiny), WWFLOW_ORT (default with a GPU: what
# scripts/gpu-runtime.sh installed), PYTHON (default: the first with torch), DEVICES (default: "cuda tensorrt cpu" where present).
set -uo pipefail
total=${1:-220}
case $total in ''|*[!0-9]*) echo "usage: benchmarks/speed/measure.sh [SECONDS]" >&2; exit 2 ;; esac
cd "$(dirname "$0")/../.."
begin=$SECONDS
out=${OUT:-runs/speed} width=${WIDTH:-1920} height=${HEIGHT:-1080} model=${MODEL:-models/winwin-tiny}
mkdir -p "$out"
rm -f "$out"/results.jsonl "$out"/whole-*.json "$out"/log
log=$(cd "$out" && pwd)/log
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PATH="$PATH:/usr/local/nvidia/bin"

# The programs: from the pieces, or built here.
libraries=
if [ -n "${PIECES:-}" ]; then
  cat "$PIECES"/part.* | tar -xJ -C "$work" || { echo "measure.sh: the pieces in $PIECES are not an archive of pack.sh" >&2; exit 1; }
  libraries=$work/lib
else
  mkdir "$work/bin"
  { scripts/go.sh build -o "$work/bin" . ./benchmarks/speed && { [ ! -e /dev/nvidia0 ] || scripts/go.sh test -c -o "$work/bin/" ./flow ./decode ./encode; }; } || { echo "measure.sh: cannot build the programs; run benchmarks/speed/pack.sh on a machine with Go and give its pieces in PIECES" >&2; exit 1; }
fi
if [ -z "${PYTHON:-}" ]; then
  for PYTHON in python3 /usr/bin/python3 ""; do
    [ -n "$PYTHON" ] && "$PYTHON" -c 'import torch' 2>/dev/null && break
  done
fi
gpu=$(nvidia-smi --query-gpu=name --format=csv,noheader 2>/dev/null | head -1)
devices=${DEVICES:-${gpu:+cuda tensorrt }cpu}
if [ -n "$gpu" ] && [ -z "${WWFLOW_ORT:-}" ]; then
  for folder in "${XDG_CACHE_HOME:-$HOME/.cache}"/wwflow/onnxruntime-*-cuda*; do
    [ ! -d "$folder" ] || export WWFLOW_ORT=$folder
  done
fi
# The CUDA libraries may be Python packages.
if [ -n "$gpu" ] && [ -n "$PYTHON" ]; then
  nvidia=$("$PYTHON" - <<'PY'
import glob, site, sys
print(":".join(d for p in dict.fromkeys(site.getsitepackages() + sys.path) for d in glob.glob(p + "/nvidia/*/lib") + glob.glob(p + "/tensorrt_libs")))
PY
)
  export LD_LIBRARY_PATH="${nvidia:+$nvidia:}${LD_LIBRARY_PATH:-}"
fi

left() { echo $((total - (SECONDS - begin))); }
each=$((total / 22)) # seconds of one measurement
[ "$each" -ge 1 ] || each=1

note() { # DESCRIPTION-AS-JSON REASON
  "${PYTHON:-python3}" -c 'import json, sys; print(json.dumps(dict(json.loads(sys.argv[1]), error=sys.argv[2])))' "$1" "$2" >>"$out/results.jsonl"
}

# try LIMIT DESCRIPTION-AS-JSON COMMAND...: appends the lines that the command prints to the results, or why it printed none.
try() {
  local limit=$1 what=$2; shift 2
  [ "$limit" -lt "$(left)" ] || limit=$(left)
  if [ "$limit" -lt 3 ]; then note "$what" "no time was left"; return; fi
  echo "+ $*" >>"$out/log"
  timeout "$limit" "$@" >"$work/line" 2>"$work/error"
  local rc=$?
  cat "$work/error" >>"$out/log"
  if [ -s "$work/line" ]; then cat "$work/line" >>"$out/results.jsonl"
  elif [ $rc = 124 ]; then note "$what" "not finished within $limit s"
  else note "$what" "exit code $rc: $(tail -n1 "$work/error" | cut -c1-200)"; fi
}

network() { # DEVICE PRECISION WHAT LIMIT
  try "$4" "{\"what\":\"$3\",\"by\":\"wwflow\",\"device\":\"$1\",\"precision\":\"$2\"}" \
    "$work/bin/speed" -model "$model" -device "$1" -precision "$2" -width "$width" -height "$height" -time "${each}s" -what "$3"
}
pytorch() { # DEVICE PRECISION WHAT LIMIT [--compile]
  local kind=eager; [ $# -lt 5 ] || kind=compiled
  local what="{\"what\":\"$3\",\"by\":\"PyTorch $kind\",\"device\":\"$1\",\"precision\":\"$2\"}"
  if [ -z "$PYTHON" ]; then note "$what" "no Python with PyTorch"; return; fi
  try "$4" "$what" "$PYTHON" benchmarks/speed/torch_network.py --model "$model" --device "$1" --precision "$2" --width "$width" --height "$height" \
    --time "$each" --what "$3" "${@:5}"
}
whole() { # NAME LIMIT ARGUMENTS...: the complete program, video to video
  local name=$1 limit=$2 frames=240; shift 2
  case "$*" in *cpu*) frames=8 ;; esac
  [ "$limit" -lt "$(left)" ] || limit=$(left)
  local what="{\"what\":\"whole run\",\"by\":\"wwflow\",\"device\":\"$*\"}"
  if [ "$limit" -lt 5 ]; then note "$what" "no time was left"; return; fi
  echo "+ wwflow bench $*" >>"$out/log"
  # Without an input, bench generates a Full-HD video; other sizes are scaled from it.
  LD_LIBRARY_PATH="${LD_LIBRARY_PATH:-}${libraries:+:$libraries}" timeout "$limit" "$work/bin/wwflow" bench --json --model "$model" --frames "$frames" \
    --scale "$("${PYTHON:-python3}" -c "print(min(1, $width / 1920))")" "$@" >"$out/whole-$name.json" 2>"$work/error"
  local rc=$?
  cat "$work/error" >>"$out/log"
  [ $rc = 0 ] && return
  local why # with --json an error is a JSON object too
  why=$(sed -nE 's/.*"message":"([^"]*)".*/\1/p' "$out/whole-$name.json" | head -n1)
  rm -f "$out/whole-$name.json"
  [ $rc != 124 ] || why="not finished within $limit s"
  note "$what" "${why:-exit code $rc: $(head -n1 "$work/error" | cut -c1-200)}"
}

check() { # PROGRAM TEST: runs a test of the repository that needs this hardware
  echo "+ $1 -test.run $2" >>"$out/log"
  local verdict
  verdict=$(cd "${1%.test}" && LD_LIBRARY_PATH="${LD_LIBRARY_PATH:-}${libraries:+:$libraries}" WWFLOW_REQUIRE_GPU=1 timeout 60 "$work/bin/$1" -test.run "^$2\$" -test.v 2>&1 | tee -a "$log" |
    sed -nE "s/^--- (PASS|FAIL|SKIP): $2 .*/\1/p")
  note "{\"what\":\"$2\",\"by\":\"wwflow\",\"device\":\"cuda\"}" "${verdict:-not finished: see the log}"
}

# The most important measurements come first: when the time is over, the rest are lines that say so.
for d in $devices; do
  case $d in
    cuda)
      network cuda fp32 pair 40; network cuda fp16 pair 40
      check flow.test TestGPUAgreesWithCPU; check decode.test TestHardwareDecodesTheSamePictures; check encode.test TestHardwareEncodes
      whole cuda 60 --device cuda --precision auto
      whole cuda-hwaccel 60 --device cuda --precision auto --hwaccel cuda --codec h264
      whole cuda-twice 60 --device cuda:0,cuda:0 --precision auto
      whole cuda-twice-veryfast 60 --device cuda:0,cuda:0 --precision auto --encoder-opt preset=veryfast
      pytorch cuda fp32 pair 40; pytorch cuda fp16 pair,no-reuse,tiles 40
      network cuda fp16 no-reuse 30; network cuda fp16 tiles 30
      network cuda fp32 no-reuse 30; network cuda fp32 tiles 30 ;;
    tensorrt) network tensorrt fp16 pair 80; network tensorrt fp32 pair 80 ;;
    cpu)
      if [ -n "$gpu" ]; then network cpu fp32 pair 20; else
        network cpu fp32 pair "$total"; network cpu fp32 no-reuse "$total"; network cpu fp32 tiles "$total"
        whole cpu "$total" --device cpu
        pytorch cpu fp32 pair,no-reuse,tiles "$total"
        if grep -q amx_bf16 /proc/cpuinfo; then pytorch cpu bf16 pair,tiles "$total"; fi # the fastest that PyTorch has on such a CPU
        pytorch cpu fp32 pair "$total" --compile
      fi ;;
  esac
done
# Compilation takes longest, so it is last.
if [ -n "$gpu" ]; then pytorch cuda fp16 pair "$total" --compile; fi

"${PYTHON:-python3}" benchmarks/speed/table.py "$out" >"$out/table.md" || exit 1
cat "$out/table.md"
