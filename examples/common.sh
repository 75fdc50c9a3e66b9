# Shared by the `run` of each folder here; not started by itself.
#
#   run [--quick] [FOLDER]
#
#   FOLDER    where data, runs and tables go; default: runs/examples/NAME
#   --quick   sizes that end in seconds and prove nothing but that it runs
#
# What is there already is not made again: a script that was stopped goes on where it was.
#   RANKS (2), THREADS (1), SEEDS (0-2)   how it is trained
#   TRIREME        the program; default: the release build of this tree
#   TRIREME_DATA   folder with the data sets mnist/, cifar10/, cora/, ... as they are published; without
#                  it, data that are made here stand in for them, and the table says so
set -euo pipefail
examples=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
root=$(dirname "$examples")
export TRIREME=${TRIREME:-$root/build/release/trireme}

stop() { # LINE [CODE]
  echo "${name:-example}: $1" >&2
  exit "${2:-1}"
}

# begin NAME ARGUMENT...: sets name, here (its folder), out, quick and seeds.
begin() {
  name=$1 here=$examples/$1 quick=0 out=
  shift
  while [ $# -gt 0 ]; do
    case $1 in
      --quick) quick=1 ;;
      -h | --help) sed -n '2,/^[^#]/{/^#/s/^# \{0,1\}//p}' "$here/run" && exit 0 ;;
      -*) stop "there is no option '$1' (--help explains)" 64 ;;
      *) out=$1 ;;
    esac
    shift
  done
  [ -x "$TRIREME" ] || stop "no program at $TRIREME; build it by launch/quickstart, or set TRIREME" 69
  out=${out:-runs/examples/$name}
  mkdir -p "$out"
  seeds=${SEEDS:-0-2}
  if [ $quick = 1 ]; then seeds=${SEEDS:-0}; fi
}

# source_of SET: the folder of a published data set, or nothing.
source_of() {
  local folder=${TRIREME_DATA:-$root/../shared/data}/$1
  if [ $quick = 0 ] && [ -d "$folder" ]; then echo "$folder"; fi
}

# unpacked SET: the same of a set that is published as one archive: its files, unpacked below $out.
unpacked() {
  local folder archive
  folder=$(source_of "$1")
  archive=$(find "$folder" -maxdepth 1 -name '*.tar*' 2>/dev/null | head -n 1)
  if [ -z "$folder" ] || [ -z "$archive" ]; then
    echo "$folder"
    return
  fi
  if [ ! -d "$out/$1" ]; then
    mkdir -p "$out/$1.new"
    tar -xf "$archive" -C "$out/$1.new"
    mv "$out/$1.new" "$out/$1"
  fi
  echo "$out/$1"
}

# once FILE COMMAND...: makes FILE by the command, which writes to the file named after its last -o.
once() {
  local file=$1
  shift
  [ -f "$file" ] || "$@" -o "$file" >&2
}

prepare() { "$TRIREME" prepare "$@"; }

launched() { "$root/launch/run" -n "${RANKS:-2}" -t "${THREADS:-1}" -- "$@"; }

# digits FILE TRAIN VALID TEST: images of digits, MNIST's where they are, else drawn ones. The first TRAIN
# of them are trained on and the VALID behind them are to validate.
digits() {
  local file=$1 from
  [ -f "$file" ] && return
  from=$(source_of mnist)
  if [ -n "$from" ]; then
    "$examples/first_images" "$from" "$2" "$3" "$out/idx" >&2
  else
    echo "$name: digits are drawn here (MNIST's files are looked for in \$TRIREME_DATA/mnist)" >&2
    "$examples/drawn_digits" "$2" "$3" "$4" "$out/idx" >&2
  fi
  once "$file" prepare images --images "$out/idx/train-images" --labels "$out/idx/train-labels" \
    --valid-images "$out/idx/valid-images" --valid-labels "$out/idx/valid-labels" \
    --test-images "$out/idx/test-images" --test-labels "$out/idx/test-labels"
}

# variant NAME CONFIG [--set KEY=VALUE]...: trains it with every seed into $out/NAME.
variant() {
  local run=$out/$1 config=$2
  shift 2
  [ -f "$run/done" ] && return
  launched train "$config" --seeds "$seeds" --resume --set "run.dir=$run" "$@" >&2
  touch "$run/done"
}

# table COLUMN... -- NAME...: of each variant, the mean and deviation over seeds of `column` at the
# evaluation with the least valid_loss, and of "gap" (valid_loss - train_loss there), "epochs_s" (seconds
# to the end) and "best" (that evaluation's step). Also as $out/table.tsv.
table() {
  local columns=()
  while [ "$1" != -- ]; do columns+=("$1") && shift; done
  shift
  {
    printf 'variant'
    printf '\t%s' "${columns[@]}"
    printf '\n'
    local variant
    for variant in "$@"; do
      "$examples/summary" "$variant" "${columns[*]}" "$out/$variant"/seed_*/metrics.csv
    done
  } >"$out/table.tsv"
  column -t -s "$(printf '\t')" "$out/table.tsv"
}
