# shellcheck shell=bash disable=SC2154,SC2034 # variables are shared between the parts
# When a job that was lost is started again: the rules of --restart. Sourced by launch/run.
#
#   - a rank, a host or the launcher was lost (lost.sh); whatever the program said no to would fail again
#   - at most N times
#   - never twice from the same checkpoint: without progress in between the next start ends alike
#   - after a pause that doubles from one start without much progress to the next

restarts_most=0
restarts=0
pause_s=5
restart_from=unset # step the last restart went on from

# Step of the newest good checkpoint of `train ARGUMENTS`: a number, or none. 1: the program will not say.
newest_step() {
  "$program" "$@" --where 2>/dev/null | sed -n 's/^step: //p' | grep .
}

# restart_wanted CODE COMMAND [ARGUMENT]...: whether to start again, from `step`; else why not in
# `reason` ("" when nobody asked for restarts or the job was not lost).
restart_wanted() {
  local code=$1
  shift
  reason=
  [ "$restarts_most" -gt 0 ] || return 1
  is_lost_code "$code" || [ -n "$lost_host" ] || return 1
  if [ $restarts -ge "$restarts_most" ]; then
    reason="started again $restarts times already"
  elif ! step=$(newest_step "$@"); then
    reason="no good checkpoint can be found"
  elif [ "$step" = "$restart_from" ]; then
    reason="no checkpoint since the last start (newest: step $step)"
  else
    restarts=$((restarts + 1))
    restart_from=$step
    return 0
  fi
  return 1
}

# Waits, unless we are asked to stop.
restart_pause() {
  local end=$((SECONDS + pause_s))
  while [ $stops = 0 ] && [ $SECONDS -lt $end ]; do sleep 0.2 & wait $!; done
  pause_s=$((pause_s < 150 ? 2 * pause_s : 300))
}
