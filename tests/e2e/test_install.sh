#!/usr/bin/env bash
# Installs the build into a fresh prefix, and uses it as a stranger would: the program, a C program
# built by find_package(Trireme), one built by pkg-config, the launcher. Then moves the prefix.
#   test_install.sh BUILD_FOLDER C_COMPILER VERSION
set -euo pipefail
build=$1 cc=$2 version=$3
tmp=$(mktemp -d "${TMPDIR:-/tmp}/trireme-test-XXXXXX")
trap 'status=$?; [ $status -eq 0 ] && rm -rf "$tmp" || echo "left for a look: $tmp"; exit $status' EXIT

fail() {
  echo "$1" >&2
  exit 1
}
quietly() { # runs a command, shows its output only when it fails
  "$@" >"$tmp/log" 2>&1 || {
    cat "$tmp/log"
    fail "failed: $*"
  }
}
expect() { # expect "what" "got" "part of it"
  [[ $2 == *"$3"* ]] || fail "$1 printed '$2', expected '$3' in it"
}

quietly cmake --install "$build" --prefix "$tmp/first"
# Nothing installed may point back at the tree or into the build: moving it shows most of that.
mv "$tmp/first" "$tmp/prefix"
if grep -rIl -e "$build" "$tmp/prefix"; then fail "these installed files name the build folder"; fi

expect "trireme version" "$("$tmp/prefix/bin/trireme" version)" "$version"
expect "launch/run" "$("$tmp/prefix/share/trireme/launch/run" -n 1 version)" "$version"
expect "trireme-run" "$(PATH=$tmp/prefix/bin:$PATH trireme-run -n 2 version)" "$version"

# The module file, by whichever of the two is installed here.
load_module() { # load_module INIT_SCRIPT: where the module finds its program and scripts
  bash -c '. "$1"; module use "$2"; module load trireme; command -v trireme; echo "$TRIREME_HOME"' \
    - "$1" "$tmp/prefix/share/trireme/modulefiles" 2>&1
}
for init in /usr/share/modules/init/bash /usr/share/lmod/lmod/init/bash ${TRM_MODULES_INIT:-}; do
  [ ! -e "$init" ] || expect "$init" "$(load_module "$init" | paste -sd' ')" \
    "$(realpath "$tmp/prefix")/bin/trireme $(realpath "$tmp/prefix")/share/trireme"
done

mkdir "$tmp/consumer"
cat >"$tmp/consumer/main.c" <<'END'
#include <stdio.h>

#include <trireme/train/keys.h>

int main(void) {
  trm_config *config = NULL; /* pulls in the YAML library too */
  if (trm_program_config(&config) != TRM_OK) return 1;
  if (trm_config_read_text(config, "train: { steps: 7 }", "text") != TRM_OK) return 2;
  printf("%s, %d\n", trm_status_text(TRM_STOPPED), (int)trm_config_int(config, "train.steps"));
  trm_config_destroy(&config);
  return 0;
}
END
cat >"$tmp/consumer/all_layers.c" <<'END'
#include <stdio.h>

#include <trireme/comm/comm.h>
#include <trireme/io/container.h>
#include <trireme/io/events.h>
#include <trireme/math/gemm.h>

/* Needs every library beneath: MPI, HDF5, protobuf-c, OpenBLAS, OpenMP. */
int main(int argc, char **argv) {
  trm_comm *comm = NULL;
  trm_container *container = NULL;
  trm_events *events = NULL;
  trm_real a = 2, b = 3, c = 0;
  if (trm_comm_init(&argc, &argv, &comm) != TRM_OK) return 1;
  if (trm_container_create(argv[1], &container) != TRM_OK) return 2;
  if (trm_container_close(&container) != TRM_OK) return 3;
  if (trm_events_open(argv[2], 0, &events) != TRM_OK) return 4;
  if (trm_events_close(&events) != TRM_OK) return 5;
  trm_gemm(false, false, 1, 1, 1, 1, &a, 1, &b, 1, 0, &c, 1);
  printf("rank %d of %d: %g\n", trm_comm_rank(comm), trm_comm_size(comm), (double)c);
  trm_comm_finalize(&comm);
  return 0;
}
END
check_programs() { # check_programs HOW FOLDER
  expect "$1: main" "$("$2/main")" "run again to go on, 7"
  expect "$1: all_layers" "$("$2/all_layers" "$tmp/x.h5" "$tmp")" "rank 0 of 1: 6"
}

cat >"$tmp/consumer/CMakeLists.txt" <<END
cmake_minimum_required(VERSION 3.20)
project(consumer LANGUAGES C)
find_package(Trireme $version REQUIRED)
foreach(program main all_layers)
  add_executable(\${program} \${program}.c)
  target_link_libraries(\${program} PRIVATE Trireme::trireme)
endforeach()
END
quietly cmake -G Ninja -S "$tmp/consumer" -B "$tmp/by-cmake" -DCMAKE_PREFIX_PATH="$tmp/prefix" \
  -DCMAKE_C_COMPILER="$cc"
quietly cmake --build "$tmp/by-cmake"
check_programs find_package "$tmp/by-cmake"

pc=$(find "$tmp/prefix" -name trireme.pc)
export PKG_CONFIG_PATH=${pc%/*}${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
[ "$(pkg-config --modversion trireme)" = "$version" ] ||
  fail "pkg-config says version $(pkg-config --modversion trireme), expected $version"
mkdir "$tmp/by-pkg-config"
for program in main all_layers; do
  # shellcheck disable=SC2046 # the flags are words of their own
  quietly "$cc" -std=c17 $(pkg-config --cflags trireme) "$tmp/consumer/$program.c" \
    -o "$tmp/by-pkg-config/$program" $(pkg-config --static --libs trireme)
done
lib=$(dirname "${pc%/*}") # a shared library in a prefix of its own is for the user to find
LD_LIBRARY_PATH=$lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} check_programs pkg-config "$tmp/by-pkg-config"
