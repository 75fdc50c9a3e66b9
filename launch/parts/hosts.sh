# shellcheck shell=bash disable=SC2154,SC2034 # variables are shared between the parts
# The hosts of a job, and those left out since they were lost. Sourced by launch/run.

hosts_known= # all there were, when the first was lost
hosts_out=() # short names

hosts_wanted() { # where the list comes from; nothing: this host alone, or the launcher knows better
  mpi_given_hosts | grep . || { [ -z "${PBS_NODEFILE:-}" ] || echo "$PBS_NODEFILE"; }
}

hosts_source() { # who says so
  if mpi_given_hosts | grep -q .; then echo "an option of -m"; else echo PBS_NODEFILE; fi
}

# On several hosts the launcher knows the cores of each; here only those of this host are known.
several_hosts() {
  [ "${SLURM_JOB_NUM_NODES:-1}" -gt 1 ] || [ -n "$(hosts_wanted)$(mpi_given_host_list)" ]
}

# SLURM_TASKS_PER_NODE as a line a host: "2(x2),1" is 2 2 1.
expand_tasks() {
  local part count times
  for part in ${1//,/ }; do
    [[ $part =~ ^([0-9]+)(\(x([0-9]+)\))?$ ]] || return 1
    count=${BASH_REMATCH[1]} times=${BASH_REMATCH[3]:-1}
    while ((times-- > 0)); do echo "$count"; done
  done
}

# "NAME SLOTS" a line; SLOTS is 0 where nobody says.
hosts_all() {
  local file list
  file=$(hosts_wanted)
  list=$(mpi_given_host_list)
  if [ -n "$file" ]; then
    sed 's/#.*//' "$file" | awk 'NF { name = $1; slots = 0
      if (match(name, /:[0-9]+$/)) { slots = substr(name, RSTART + 1); name = substr(name, 1, RSTART - 1) }
      for (i = 2; i <= NF; i++) if ($i ~ /^slots=/) slots = substr($i, 7)
      if (!(name in sum)) order[++n] = name
      lines[name]++; sum[name] += slots }
      END { for (i = 1; i <= n; i++) { h = order[i]; repeated += lines[h] > 1 }
            for (i = 1; i <= n; i++) { h = order[i]; print h, sum[h] ? sum[h] : repeated ? lines[h] : 0 } }'
  elif [ -n "$list" ]; then
    tr ',' '\n' <<<"$list" | awk -F: '{ print $1, ($2 ? $2 : 1) }'
  elif [ -n "${SLURM_JOB_NODELIST:-}" ]; then
    paste -d' ' <(scontrol show hostnames "$SLURM_JOB_NODELIST") <(expand_tasks "${SLURM_TASKS_PER_NODE:-1}")
  fi
}

# Asks a host to run nothing, by the way that the launcher reaches it.
host_answers() {
  if [ -n "${SLURM_JOB_ID:-}" ]; then
    timeout 20 srun --overlap --nodes=1 --ntasks=1 --nodelist="$1" true
  else # shellcheck disable=SC2086 # an agent may have options
    timeout 15 ${OMPI_MCA_plm_rsh_agent:-${HYDRA_LAUNCHER_EXEC:-ssh -o BatchMode=yes}} "$1" true
  fi </dev/null >/dev/null 2>&1
}

# Hosts of the job that do not answer, all asked at once.
hosts_silent() {
  local host slots
  [ -n "$hosts_known" ] || hosts_known=$(hosts_all)
  while read -r host slots; do
    case ${host%%.*} in "" | "$(uname -n | cut -d. -f1)" | localhost) continue ;; esac
    case " ${hosts_out[*]-} " in *" ${host%%.*} "*) continue ;; esac
    { host_answers "$host" || echo "$host"; } &
  done <<<"$hosts_known"
  wait
}

# hosts_leave_out RANKS FILE: the hosts but those in hosts_out into FILE, for mpi_hosts; how many ranks
# they take, at most RANKS, into `left`. 1: no host is left, or none was listed.
hosts_leave_out() {
  [ -n "$hosts_known" ] || hosts_known=$(hosts_all)
  left=$(awk -v out="${hosts_out[*]}" -v ranks="$1" -v file="$2" '
    BEGIN { n = split(out, names, " "); for (i = 1; i <= n; i++) gone[names[i]] = 1 }
    NF { short = $1; sub(/\..*/, "", short); hosts++ }
    NF && !(short in gone) { left++; slots += $2; print $1 ($2 ? " slots=" $2 : "") >file }
    END {
      if (!left) exit 1
      if (!slots) slots = int(ranks * left / hosts)
      print slots < 1 ? 1 : slots < ranks ? slots : ranks
    }' <<<"$hosts_known")
}
