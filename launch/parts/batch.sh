# shellcheck shell=bash disable=SC2154,SC2034 # variables are shared between the parts
# What the job scripts of schedulers share: signals on the way in, and when a job goes back into the
# queue. Sourced by slurm.sbatch and pbs.sh, which set `script`, their name.

say() { echo "$script: $1" >&2; }

early= # a signal that came before there was anybody to pass it on to
trap 'early=TERM' USR1 TERM HUP INT

# Waits for launch/run, started in the background by the caller; its exit code in `status`. Signals to
# the script are passed on: launch/run turns the first into the one that saves.
follow() {
  local signalled name
  for name in USR1 TERM INT HUP; do
    # shellcheck disable=SC2064 # the name as it is now
    trap "signalled=1; kill -$name $1 2>/dev/null" $name
  done
  [ -z "$early" ] || kill -$early "$1" 2>/dev/null
  # `wait` returns early when a trap has run; then it is not the status of launch/run.
  while signalled=0; wait "$1"; status=$?; [ $signalled = 1 ]; do :; done
}

# may_requeue ARGUMENT...: of `train`. Whether the run has come further since it was last put back, or at
# least not too often without; says why not. A start may be preempted before it has saved anything, but
# one that is too short for its set-up would come back for ever.
may_requeue() {
  local where run step before= idle=0
  where=$("$home/launch/run" -n 1 -- train "$@" --where 2>/dev/null)
  run=$(sed -n 's/^run: //p' <<<"$where") step=$(sed -n 's/^step: //p' <<<"$where")
  if [ -z "$step" ]; then
    say "no good checkpoint can be found; not put back"
    return 1
  fi
  [ -d "$run" ] || return 0
  [ ! -e "$run/requeued" ] || read -r before idle <"$run/requeued"
  if [ "$before" = "$step" ]; then idle=$((idle + 1)); else idle=0; fi
  if [ $idle -ge "${TRIREME_MAX_RESTARTS:-5}" ]; then
    say "$idle starts in a row saved nothing new (newest checkpoint: step $step); not put back again"
    return 1
  fi
  echo "$step $idle" >"$run/requeued"
}
