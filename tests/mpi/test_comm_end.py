#!/usr/bin/env python3
"""How a job ends when one rank goes wrong: one line, the right exit code, in time.

usage: test_comm_end.py MPIEXEC CHILD MPIFLAGS...
"""
import os
import re
import subprocess
import sys
import time

mpiexec, child, flags = sys.argv[1], sys.argv[2], sys.argv[3:]
failures = 0
# The thread sanitizer would keep a process for a second after it has ended.
os.environ["TSAN_OPTIONS"] = os.environ.get("TSAN_OPTIONS", "") + " atexit_sleep_ms=0"


def run(ranks, *args):
    start = time.monotonic()
    done = subprocess.run([mpiexec, *flags, "-n", str(ranks), child, *args], timeout=60,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr, time.monotonic() - start


def check(what, good, text):
    global failures
    if not good:
        failures += 1
        print(f"{what}: {text}", file=sys.stderr)


def check_bad(mode, ranks, bad, want_code, want_line):
    name = f"{mode}, rank {bad} of {ranks}"
    code, output, seconds = run(ranks, mode, str(bad))
    lines = [line for line in output.splitlines() if line.strip()]
    check(name, code == want_code, f"exit code {code}, expected {want_code}: {output!r}")
    check(name, len(lines) == 1 and re.fullmatch(want_line, lines[0]), f"printed {output!r}")
    check(name, seconds < 20, f"took {seconds:.1f} s")


def check_deadline(mode, ranks, bad, speaker=None):
    if speaker is None:
        speaker = 1 if bad == 0 else 0
    check_bad(mode, ranks, bad, 71,
              rf"error: rank {speaker} \([^)]+\): step 57: waited 1 s in 'gradient all-reduce'; "
              r"the last checkpoint is intact; another rank may be dead, stopped or cut off")


def check_silent(ranks, mode):
    code, output, _ = run(ranks, mode)
    check(mode, code == 0, f"exit code {code}, expected 0")
    check(mode, output.strip() == "", f"printed {output!r}")


for ranks, bad in (2, 1), (2, 0), (3, 1):
    check_deadline("hang", ranks, bad)
check_deadline("hang", 4, 0)
check_deadline("stop", 2, 1)
check_deadline("group", 4, 3, speaker=2)
check_bad("mpi", 2, 1, 71, r"error: rank 1 \([^)]+\): MPI_Allgather failed: .+")
check_bad("bug", 2, 1, 70, r"bug: rank 1: .*comm_end_child\.c:\d+: .+")
check_silent(2, "busy")
check_silent(1, "suspended")
sys.exit(1 if failures else 0)
