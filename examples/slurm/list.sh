#!/bin/bash
#SBATCH --job-name=wwflow
#SBATCH --array=1-8
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=USR1@90
#SBATCH --time=04:00:00
#SBATCH --cpus-per-task=4
#
# The flow videos of many videos, on many nodes: each task of the array does its share, dealt by length of video.
#
#   sbatch --array=1-16 examples/slurm/list.sh list.txt flows [options of wwflow batch]
#
# All tasks write into one folder, which all nodes see; each has a journal of its own. A task that was stopped or killed goes
# back into the queue, and does there what is missing. A task that ends with exit code 6 is complete, and the journal says
# which videos failed.
set -u

if [ $# -lt 2 ]; then
  echo "usage: sbatch $0 LIST DIR [options of wwflow batch]" >&2
  exit 2
fi
list=$1 folder=$2
shift 2
srun wwflow batch "$list" -o "$folder" --part auto --keep-going "$@"
code=$?
case $code in
  75 | 137) # a temporary failure, or killed
    if [ "${SLURM_RESTART_COUNT:-0}" -lt 10 ]; then
      scontrol requeue "$SLURM_JOB_ID"
      sleep 60 # until Slurm ends this script
    fi
    ;;
esac
exit $code
