#!/bin/bash
# A Trireme run as a PBS job (OpenPBS, PBS Pro, Torque) that stops before its time is over, saves, and
# submits its own continuation:
#
#   qsub -v TRIREME_ARGS="lm.yaml --set train.steps=100000" launch/pbs.sh
#
# Submit from the folder that holds launch/, or name it: -v TRIREME_HOME=...,TRIREME_ARGS=...
# Options given to qsub override those below: `qsub -l select=4:ncpus=8:mpiprocs=2 -l walltime=12:00:00`.
# Torque counts otherwise: `qsub -l nodes=4:ppn=2 ...`.
#
#PBS -N trireme
#PBS -l select=2:ncpus=2:mpiprocs=1
#PBS -l walltime=01:00:00
#PBS -r y
#PBS -j oe
#
# PBS sends TERM to this script at the limit and kills it some 10 s later, which is too late for a large
# model; so the run is told how long it has (train.time_budget_s), less TRIREME_RESERVE_S (120) to save.
set -u
script=pbs.sh
stop() {
  echo "pbs.sh: $1" >&2
  exit 64
}
[ -n "${PBS_JOBID:-}" ] ||
  stop "this is a job: qsub -v TRIREME_ARGS=CONFIG launch/pbs.sh; without PBS use launch/run"
cd "${PBS_O_WORKDIR:-.}" || stop "cannot enter $PBS_O_WORKDIR, from where the job was submitted"
home=${TRIREME_HOME:-$PWD}
[ -x "$home/launch/run" ] ||
  stop "no launch/run under $home; submit from the folder that holds launch/ or set TRIREME_HOME"
[ $# -gt 0 ] || eval "set -- ${TRIREME_ARGS:-}" # Torque's qsub -F has arguments, others' have none
[ $# -gt 0 ] || stop "usage: qsub -v TRIREME_ARGS='CONFIG [--set KEY=VALUE]...' launch/pbs.sh"
. "$home/launch/parts/batch.sh"

# Each line of the host file is a rank (mpiprocs of select, ppn of Torque).
[ -r "${PBS_NODEFILE:-}" ] || stop "PBS_NODEFILE (${PBS_NODEFILE:-not set}) cannot be read: it lists the hosts"
ranks=$(grep -c . "$PBS_NODEFILE")

seconds() { awk -F: '{ s = 0; for (i = 1; i <= NF; i++) s = 60 * s + $i; print s }' <<<"$1"; }

# What PBS knows of the job; it folds long lines.
facts=$(qstat -f "$PBS_JOBID" 2>/dev/null | sed -e ':all' -e 'N;$!b all' -e 's/\n\t//g')
fact() { sed -n "s/^ *$1 = //p" <<<"$facts"; }

# Seconds that are left of the job: of what it was given, and has not used.
seconds_left() {
  local given used
  given=$(fact Resource_List.walltime)
  used=$(fact resources_used.walltime)
  [ -n "$given" ] || given=${PBS_WALLTIME:-} # Torque's, in seconds
  [ -n "$given" ] && echo $(($(seconds "$given") - $(seconds "${used:-0}")))
}

# What the job was submitted with, for its continuation, which would have what stands above: `words`.
words_of_job() {
  local name value
  words=()
  for name in select nodes; do
    value=$(fact "Resource_List.$name")
    [ -z "$value" ] || { words+=(-l "$name=$value") && break; }
  done
  value=$(fact Resource_List.walltime)
  [ -z "$value" ] || words+=(-l "walltime=$value")
  value=$(fact Account_Name)
  [ -z "$value" ] || words+=(-A "$value")
  [ -z "${PBS_O_QUEUE:-}" ] || words+=(-q "$PBS_O_QUEUE")
  [ -z "${PBS_JOBNAME:-}" ] || words+=(-N "$PBS_JOBNAME")
}

budget=()
if left=$(seconds_left); then
  left=$((left - ${TRIREME_RESERVE_S:-120}))
  [ $left -gt 0 ] || stop "the walltime leaves nothing to train in after TRIREME_RESERVE_S (${TRIREME_RESERVE_S:-120} s); raise it, or lower that"
  budget=(--set "train.time_budget_s=$left")
else
  say "neither qstat nor PBS_WALLTIME tells the walltime: set train.time_budget_s below it, or the end may come too soon to save"
fi

echo "job $PBS_JOBID on $(sort -u "$PBS_NODEFILE" | paste -sd, -), $(date -u +%FT%TZ)"
"$home/launch/run" -n "$ranks" -t "${OMP_NUM_THREADS:-1}" --restart "${TRIREME_MAX_RESTARTS:-5}" \
  -- train ${budget[@]+"${budget[@]}"} "$@" --resume &
follow $!

# A job of PBS cannot put itself back, but it can submit the next one.
if [ $status = 75 ] && may_requeue "$@"; then
  echo "job $PBS_JOBID: stopped early with a good checkpoint; submitting its continuation"
  words_of_job
  TRIREME_ARGS=$(printf '%q ' "$@") TRIREME_HOME=$home qsub -V ${words[@]+"${words[@]}"} "$home/launch/pbs.sh" ||
    say "qsub failed; go on by hand: qsub -v TRIREME_ARGS=... launch/pbs.sh"
fi
exit $status
