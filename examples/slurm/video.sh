#!/bin/bash
#SBATCH --job-name=wwflow
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=USR1@90
#SBATCH --time=04:00:00
#SBATCH --cpus-per-task=4
#
# The flow video of one long video, on many nodes: a job array over its parts, and a job that joins them.
#
#   examples/slurm/video.sh in.mp4 flow.mp4 16 [options of wwflow run]
#
# Run it on the login node: it submits itself, and prints the numbers of both jobs. Add options of sbatch, such as
# SBATCH_PARTITION=gpu, through sbatch's environment variables. All nodes see the files under the same paths.
#
# Slurm sends SIGUSR1 90 seconds before the time limit: wwflow closes its segment and exits with 75. The task is then put
# back into the queue, and continues there after its last segment. The same happens where it was killed.
set -u

if [ -z "${SLURM_JOB_ID:-}" ]; then
  if [ $# -lt 3 ]; then
    echo "usage: $0 IN OUT PARTS [options of wwflow run]" >&2
    exit 2
  fi
  input=$1 output=$2 parts=$3
  shift 3
  array=$(sbatch --parsable --array="1-$parts" "$0" compute "$input" "$output.parts" "$@") || exit
  join=$(sbatch --parsable --array=1-1 --dependency="afterok:$array" --kill-on-invalid-dep=yes "$0" join "$output.parts" "$output") || exit
  echo "parts: job $array, join: job $join"
  exit
fi

# again puts the task back into the queue, ten times at most.
again() {
  if [ "${SLURM_RESTART_COUNT:-0}" -lt 10 ]; then
    scontrol requeue "$SLURM_JOB_ID"
    sleep 60 # until Slurm ends this script
  fi
}

role=$1
shift
case $role in
  compute)
    input=$1 folder=$2
    shift 2
    srun wwflow run "$input" -o "$folder" --part auto "$@"
    ;;
  join) srun wwflow join "$1" -o "$2" --force && rm -r "$1" ;;
  *) echo "$0: unknown role $role" >&2; exit 2 ;;
esac
code=$?
case $code in
  75 | 137) again ;; # a temporary failure, or killed
esac
exit $code
