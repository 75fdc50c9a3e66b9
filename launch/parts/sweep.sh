# shellcheck shell=bash disable=SC2154,SC2034 # variables are shared between the parts
# What a killed launcher leaves on this host: Open MPI's shared memory in /dev/shm and its session
# folders. Only ours, and only where the processes they belong to are gone. Sourced by launch/run.
# (Trireme's own shared memory has no name and goes with its processes; MPICH's likewise.)

session_root() { echo "${TMPDIR:-/tmp}/ompi.$(uname -n | cut -d. -f1).$(id -u)"; }

# Session folders are named after the launcher's process.
sweep_sessions() {
  local folder process
  for folder in "$(session_root)"/pid.*; do
    process=${folder##*.}
    [ -O "$folder" ] && [ ! -L "$folder" ] && [ ! -e "/proc/$process" ] || continue
    rm -rf -- "$folder"
  done
}

# A rank has its segment mapped as long as it lives, so one that nobody maps has no owner. The youngest
# are left alone: their owner may be about to map them, unless they are of the job that has just ended.
sweep_segments() {
  local names old
  names=vader_segment.$(uname -n | cut -d. -f1).$(id -u).
  compgen -G "/dev/shm/$names*" >/dev/null || return 0
  old=$(find /dev/shm -maxdepth 1 -name "$names*" -type f -uid "$(id -u)" -mmin +1
    segments_of_last_job "/dev/shm/$names")
  [ -n "$old" ] || return 0
  comm -23 <(sort -u <<<"$old") <(cat /proc/[0-9]*/maps 2>/dev/null | grep -o "/dev/shm/${names}[^ ]*" | sort -u) |
    xargs -r -d '\n' rm -f --
}

# The name of a segment has the number of its job in hexadecimal, the session folder in decimal.
segments_of_last_job() {
  local file number
  for file in "$(session_root)/pid.${last_job:-none}"/pmix_dstor*/smseg-*-0; do
    number=${file##*/smseg-}
    [ ! -e "$file" ] || compgen -G "$1$(printf %x "${number%-0}").*"
  done
}

# The small folders of launch/run itself, named after its process.
sweep_own() {
  local folder process
  for folder in "${TMPDIR:-/tmp}"/trireme-run.*.*; do
    process=${folder##*/trireme-run.}
    [ -O "$folder" ] && [ ! -L "$folder" ] && [ ! -e "/proc/${process%.*}" ] || continue
    rm -rf -- "$folder"
  done
}

sweep_leftovers() {
  sweep_own
  case $mpi in openmpi*)
    sweep_segments
    sweep_sessions
    ;;
  esac
}
