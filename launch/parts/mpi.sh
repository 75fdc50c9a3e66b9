# shellcheck shell=bash disable=SC2154,SC2034 # variables are shared between the parts
# What differs from one MPI to another: its launcher, its options, its words. Nothing else in launch/
# or tests/ names an option of a launcher. Sourced by launch/run; run by the build:
#
#   bash launch/parts/mpi.sh LAUNCHER     options for several ranks on few cores, a line each
#
# Tried with Open MPI 4.1 and MPICH 4.0 (Hydra); Open MPI 5 renames some options and keeps the rest.

mpi=          # openmpi-4, openmpi-5 or mpich
mpirun=       # its launcher
options=()    # for the launcher, ours
given=()      # for the launcher, the user's (-m)
environment=() # for the launcher, NAME=VALUE
launcher_output=  # file for all that the launcher says; empty: it says it elsewhere
pipes=()          # processes that the ranks' output goes through
as_words=()   # what stands before the program on the launcher's line

# openmpi-4, openmpi-5, mpich, or nothing: by what a launcher says of itself.
mpi_of_launcher() {
  case $("$1" --version 2>/dev/null | head -n 3) in
    *"Open MPI) "[1-4].*) echo openmpi-4 ;;
    *"Open MPI) "*) echo openmpi-5 ;;
    *HYDRA*) echo mpich ;;
  esac
}

# openmpi or mpich: what a program is linked with; nothing when that cannot be told.
mpi_of_program() {
  case $(ldd "$1" 2>/dev/null) in
    *libmpich.so* | *libmpi.so.12*) echo mpich ;;
    *libmpi.so.40*) echo openmpi ;;
  esac
}

# The launcher that fits a program: $TRIREME_MPIRUN, else by name. Sets mpi and mpirun; 1: none fits.
mpi_find() {
  local built candidate
  built=$(mpi_of_program "$1")
  for candidate in ${TRIREME_MPIRUN:-"mpirun" ${built:+"mpirun.$built"} mpiexec.hydra}; do
    command -v "$candidate" >/dev/null || continue
    mpi=$(mpi_of_launcher "$candidate")
    if [ -n "$mpi" ] && [[ $mpi = "$built"* ]]; then
      mpirun=$candidate
      return
    fi
  done
  mpi=$built
  return 1
}

# Whether the user gave one of these options or parameters.
is_given() {
  local name word
  for name in "$@"; do
    for word in ${given[@]+"${given[@]}"}; do
      case $word in "$name" | "-$name" | "--$name" | "-$name="* | "--$name="*) return 0 ;; esac
    done
  done
  return 1
}

# What the user gave as one of these options; nothing: none of them.
value_given() {
  local i name
  for ((i = 0; i < ${#given[@]}; i++)); do
    for name in "$@"; do
      case ${given[i]} in
        "-$name" | "--$name") echo "${given[i + 1]-}" && return ;;
        "-$name="* | "--$name="*) echo "${given[i]#*=}" && return ;;
      esac
    done
  done
}

# A parameter of the launcher's own, unless the user gave it or has it in the environment: Open MPI
# refuses to start when one is given twice.
parameter() {
  local flag=--mca prefix=OMPI_MCA_
  if [ "$mpi" = openmpi-5 ] && [[ $1 != mpi_* ]]; then flag=--prtemca prefix=PRTE_MCA_; fi
  is_given "$1" || [ -n "$(printenv "$prefix$1")" ] || options+=("$flag" "$1" "$2")
}

# An option of ours with its values, unless the user gave it.
option() { is_given "${1#--}" || options+=("$@"); }

# mpi_place RANKS THREADS core|none: how many ranks, and where.
mpi_place() {
  is_given n np c N || options+=(-n "$1")
  if [ "$mpi" = mpich ]; then
    if [ "$3" = core ]; then option -bind-to "core:$2"; else option -bind-to none; fi
  elif [ "$3" = core ]; then
    option --map-by "slot:PE=$2"
    option --bind-to core
  else # more threads than cores: whoever waits gives its core away
    option --map-by slot:OVERSUBSCRIBE
    option --bind-to none
    parameter mpi_yield_when_idle 1
  fi
}

# A cable that is out goes unnoticed for minutes with Open MPI's default keepalive times, and is seen
# after 5 + 2 * 3 seconds with these. Hydra has no such option.
mpi_keep_alive() {
  [ "$mpi" != mpich ] || return 0
  parameter oob_tcp_keepalive_time 5
  parameter oob_tcp_keepalive_intvl 2
  parameter oob_tcp_keepalive_probes 3
}

# Variables for the ranks on other hosts; Hydra hands its whole environment on.
mpi_export() {
  local name
  [ "$mpi" != mpich ] || return 0
  for name in "$@"; do
    if [ -n "${!name:-}" ] && ! is_given "$name"; then options+=(-x "$name"); fi
  done
}

# mpi_hosts FILE: the hosts to use, a line each, as "NAME" or "NAME slots=N".
mpi_hosts() {
  if [ "$mpi" != mpich ]; then
    options+=(--hostfile "$1")
  else
    sed 's/ slots=/:/' "$1" >"$work/hosts.hydra"
    options+=(-f "$work/hosts.hydra")
  fi
}

# The file or list of hosts that the user gave, in the words of either MPI.
mpi_given_hosts() { value_given hostfile machinefile f; }
mpi_given_host_list() { value_given host hosts H; }

# From now on the hosts are ours to name: the user's options for them go.
mpi_forget_given_hosts() {
  local kept=() i
  for ((i = 0; i < ${#given[@]}; i++)); do
    case ${given[i]} in
      -hostfile | --hostfile | -machinefile | --machinefile | -f | -host | --host | -hosts | -H) i=$((i + 1)) ;;
      -hostfile=* | --hostfile=* | -machinefile=* | --machinefile=* | --host=*) ;;
      *) kept+=("${given[i]}") ;;
    esac
  done
  given=(${kept[@]+"${kept[@]}"})
}

# mpi_apart FOLDER: what the launcher itself says goes to FOLDER/words, what the ranks say goes where
# it always did. Needs descriptors 3 and 4, which stand for the standard output and error.
# Open MPI writes its words to a descriptor it is told, and the ranks must not hear of it: they would
# write into whatever they have open there. A number that nobody uses, since Slurm hands the variable
# to the daemons of other hosts. Hydra writes them to its standard output, so the ranks' goes to a pipe.
mpi_apart() {
  case $mpi in
    openmpi-4)
      exec 200>"$1/words"
      environment=(OPAL_OUTPUT_STDERR_FD=200)
      as_words=(env -u OPAL_OUTPUT_STDERR_FD)
      ;;
    openmpi-5) options+=(-q) && : >"$1/words" ;;
    mpich)
      exec 200> >(exec cat >&3 3>&- 4>&-) && pipes=($!)
      exec 201> >(exec cat >&4 3>&- 4>&- 200>&-) && pipes+=($!)
      options+=(-outfile-pattern /dev/fd/200 -errfile-pattern /dev/fd/201)
      launcher_output=$1/words
      ;;
  esac
}

# Closes what mpi_apart opened, when all that was said has arrived.
mpi_together() {
  exec 200>&- 201>&-
  [ ${#pipes[@]} = 0 ] || wait "${pipes[@]}"
  pipes=()
}

# Open MPI refuses to start for root unless told twice.
mpi_allow_root() {
  [ "$(id -u)" -ne 0 ] || export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
}

# Options for the tests: several ranks on few cores, and no words of the launcher's own.
mpi_for_tests() {
  case $(mpi_of_launcher "$1") in
    mpich) printf '%s\n' -bind-to none ;;
    *) printf '%s\n' -q --oversubscribe --bind-to none --mca mpi_yield_when_idle 1 ;;
  esac
}
if [ "${BASH_SOURCE[0]}" = "$0" ]; then mpi_for_tests "$1"; fi
