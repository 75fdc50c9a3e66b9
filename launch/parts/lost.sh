# shellcheck shell=bash disable=SC2154,SC2034 # variables are shared between the parts
# Who was lost, in one line, from what the launcher says in pages. Sourced by launch/run.

# Exit codes of the program itself (README.md): it has said why. The rest of 64 to 79 has no meaning.
is_own_code() { [ "$1" -eq 0 ] || { [ "$1" -ge 64 ] && [ "$1" -le 79 ]; }; }

# A rank, a host or the launcher is gone, and the same job can do better next time. MPICH ends with the
# number of the signal itself. The program's own 71 is a rank that did not answer.
is_lost_code() {
  case $1 in
    71) return 0 ;;
    20[0-9]) return 0 ;; # a daemon of Open MPI's on another host
    13[0-9] | 14[0-9] | 15[0-9]) return 0 ;; # 128 + signal
    [1-9] | [1-5][0-9] | 255) [ "$mpi" = mpich ] ;;
    *) return 1 ;;
  esac
}

# The launcher's words, each paragraph as one line; without what says nothing of the job's end.
paragraphs() {
  grep -v ' plm:rsh: Warning: ' "$1" | tr '\n' ' ' | sed 's/  */ /g' | sed -E 's/(-{20,}|={20,})/\n/g'
}

# Names and numbers in the launcher's words, one finding a line: "rank R HOST SIGNAL NAME",
# "process PID HOST SIGNAL", "host NAME", "somebody", "left R CODE".
findings() {
  paragraphs "$1" | sed -nE '
    s/.*process rank ([0-9]+) with PID [0-9]+ on node ([^ ]+) exited on signal ([0-9]+)( \(([^)]*)\))?.*/rank \1 \2 \3 \5/p
    s/.*PID ([0-9]+) RUNNING AT ([^ ]+) = EXIT CODE: ([0-9]+).*/process \1 \2 \3/p
    s/.*[Rr]emote daemon *: [^ ]+ on node ([^ ]+).*/host \1/p
    s/.*lost connection to.* on node ([^ ,]+).*/host \1/p
    s/.*\[proxy:[0-9:]+@.*/somebody/p
    s/.*Could not resolve hostname ([^ :]+).*/host \1/p
    s/.*Process name: \[\[[0-9,]+\],([0-9]+)\] Exit code: ([0-9]+).*/left \1 \2/p'
}

# The first sentence in the launcher's words that is more than a ceremony.
first_words() {
  paragraphs "$1" | grep -vE '^ *$|Primary job +terminated normally|MPI_ABORT was invoked|exited with non-zero status' |
    head -n 1 | sed -E 's/^ //; s/[.:]? *$//; s/[.:] .*//' | cut -c 1-300
}

signal_text() {
  local name
  name=$(kill -l "$1" 2>/dev/null) || name="number $1"
  echo "signal $1 ($name)"
}

# lost_line CODE WORDS: what happened, as far as the launcher knows; nothing when the program has said
# it itself. Sets lost_host to a host that is out of reach.
lost_line() {
  local kind a b c rest
  lost_host=
  lost_text=
  ! is_own_code "$1" || [ "$1" = 71 ] || return 0
  read -r kind a b c rest < <(findings "$2" | sort -s -k1,1 | head -n 1)
  case ${kind:-} in
    host)
      lost_host=$a
      lost_text="host $a was lost: its launcher daemon does not answer"
      ;;
    rank) lost_text="rank $a on $b was ended by $(signal_text "$c")" ;;
    process) lost_text="process $a on $b was ended by $(signal_text "$c")" ;;
    somebody) # Hydra's daemons complain, but those of the hosts that are still there
      lost_text="a rank or a host was lost; the launcher of MPICH does not say which" ;;
    left) lost_text="rank $a left with exit code $b" ;;
    *)
      lost_text=$(first_words "$2")
      if [ -n "$lost_text" ]; then
        lost_text="$mpirun: $lost_text (--verbose shows all it says)"
      elif [ "$1" -gt 128 ]; then
        lost_text="$mpirun itself was ended by $(signal_text $(($1 - 128)))"
      else
        lost_text="$mpirun ended with exit code $1"
      fi
      ;;
  esac
  [ "$1" != 71 ] || lost_text=
}
