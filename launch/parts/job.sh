# shellcheck shell=bash disable=SC2154,SC2034 # variables are shared between the parts
# One start of a job: the launcher in a session of its own, signals on the way in, nobody left behind on
# the way out. Sourced by launch/run.

job=            # process of the launcher; empty: none runs
mark=           # what the environment of the job's processes says
stops=0         # how often we were asked to stop
stop_signal=    # the last that asked
stop_with=USR1  # what the ranks are sent for it: to save, or to end (TERM) where there is nothing to save
ended_at_once=0
signalled=0     # since `wait` began
helper=         # process that repeats the signal, or kills in the end
last_job=

say() { echo "$me: $1" >&4; } # the standard error, whatever is redirected

# Living processes of the job on this host: those that have its mark in their environment, since Hydra
# gives each rank a session of its own.
job_processes() {
  grep -lzsxF "TRIREME_LAUNCH=$mark" /proc/[0-9]*/environ | cut -d/ -f3
}

# job_await SECONDS: until none of it is left; 1 if some still is.
job_await() {
  local end=$((SECONDS + $1))
  while [ -n "$(job_processes)" ]; do
    [ $SECONDS -le $end ] || return 1
    sleep 0.1
  done
}

# job_sweep SECONDS: ends what is left of it after that time, the hard way.
job_sweep() {
  # shellcheck disable=SC2046 # a list of numbers
  job_await "$1" || kill -KILL $(job_processes) 2>/dev/null
}

# The first signal lets the ranks save and leave: USR1, which mpirun and Hydra pass on to all ranks on
# all hosts at once, where TERM and INT would leave them a second.
on_stop() {
  signalled=1
  stop_signal=$1
  stops=$((stops + 1))
  [ -n "$job" ] || return 0
  if [ $stops -gt 1 ]; then end_at_once; else ask_to_stop; fi
}

# Repeated, since a launcher that has not started its ranks yet forgets it; the program heeds the first
# that reaches it.
ask_to_stop() {
  [ $stop_with != USR1 ] ||
    say "$stop_signal: stopping after this step, with a checkpoint; once more ends the run at once"
  (
    trap '' INT TERM HUP
    signalled_any=
    while [ -e "/proc/$job" ] && signal_ranks && sleep 3; do :; done
  ) >/dev/null 2>&1 3>&- 4>&- 200>&- 201>&- &
  helper=$!
  disown "$helper" # or the shell tells of its end
}

# Those on this host, since what one of them knows all soon do; while there has been none, the launcher,
# which would say a line of its own.
signal_ranks() {
  local ranks
  ranks=$(job_ranks)
  # shellcheck disable=SC2086 # a list of numbers
  if [ -n "$ranks" ]; then
    signalled_any=1
    kill -s $stop_with $ranks
  else
    [ -n "$signalled_any" ] || kill -s $stop_with "$job"
  fi
}

# Processes of the program in the job on this host.
job_ranks() {
  local process
  for process in $(job_processes); do
    [ "$(readlink "/proc/$process/exe")" != "$program" ] || echo "$process"
  done
}

# Our own ranks die here, the launcher ends those of other hosts; if it cannot, it dies too.
end_at_once() {
  ended_at_once=1
  # shellcheck disable=SC2046 # a list of numbers
  kill -KILL $(job_ranks) 2>/dev/null
  kill -TERM "$job" 2>/dev/null
  end_helper
  (
    trap '' INT TERM HUP
    job_sweep 8
  ) >/dev/null 2>&1 3>&- 4>&- 200>&- 201>&- &
  helper=$!
  disown "$helper" # or the shell tells of its end
}

end_helper() { # which hears of nothing less
  [ -z "$helper" ] || kill -KILL "$helper" 2>/dev/null
  helper=
}

# catch_stops NAME...: from here on these stop the job.
catch_stops() {
  local name
  for name in "$@"; do
    # shellcheck disable=SC2064 # the name as it is now
    trap "on_stop $name" "$name"
  done
}

# job_run COMMAND...: runs the launcher to its end; its exit code in `status`, its process in
# `last_job`. Should this shell be killed, the launcher is told to stop.
job_run() {
  local waited prefix
  mark=$$.$SECONDS.$RANDOM
  prefix=(env ${environment[@]+"${environment[@]}"} "TRIREME_LAUNCH=$mark" setsid)
  ! setpriv --pdeathsig KILL true 2>/dev/null || prefix+=(setpriv --pdeathsig "$stop_with")
  if [ -n "$launcher_output" ]; then
    "${prefix[@]}" "$@" <&0 >"$launcher_output" 2>&1 3>&- 4>&- &
  else
    "${prefix[@]}" "$@" <&0 3>&- 4>&- &
  fi
  job=$!
  last_job=$job
  [ $stops = 0 ] || ask_to_stop # it came while the launcher was being started
  # A trap ends `wait` early; then the launcher's status is still to be had.
  while signalled=0; wait "$job" 2>/dev/null; waited=$?; [ $waited = 127 ] || status=$waited; [ $signalled = 1 ]; do :; done
  end_helper
  job_sweep 3
  job=
}
