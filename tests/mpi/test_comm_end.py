#!/usr/bin/env python3
"""How a job ends when one rank goes wrong: one line, the right exit code, in time.

usage: test_comm_end.py MPIEXEC CHILD MPIFLAGS...
"""
import concurrent.futures
import os
import re
import subprocess
import sys
import time

mpiexec, child, flags = sys.argv[1], sys.argv[2], sys.argv[3:]
failures = 0
hydra = "HYDRA" in subprocess.run([mpiexec, "--version"], capture_output=True, text=True).stdout
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
    if hydra:  # it adds a page of its own, and may end with the signal by which it ended the others
        lines = [line for line in lines if re.match("error: |bug: ", line)]
        code = want_code if code == 9 else code
    check(name, code == want_code, f"exit code {code}, expected {want_code}: {output!r}")
    check(name, len(lines) == 1 and re.fullmatch(want_line, lines[0]), f"printed {output!r}")
    check(name, seconds < 20, f"took {seconds:.1f} s")


END = (r" \(no sign of life for 1 s, comm\.deadline_s\)%s; the last checkpoint is intact, --resume "
       r"goes on from it")


def others(ranks):
    return "; the other rank waits" if ranks == 2 else "; the other ranks wait"


def check_hang(mode, ranks, bad):
    check_bad(mode, ranks, bad, 71,
              rf"error: rank {bad} \([^)]+\) answers, but has not moved at step 57 in 'gradient "
              r"all-reduce'" + END % others(ranks))


def check_stop(ranks, bad):
    check_bad("stop", ranks, bad, 71,
              rf"error: rank {bad} \([^)]+\) is stopped by a signal \(SIGSTOP\); last heard at step 57 "
              r"in 'gradient all-reduce'" + END % others(ranks))


def check_silent(ranks, mode, *more):
    code, output, _ = run(ranks, mode, *more)
    check(mode, code == 0, f"exit code {code}, expected 0")
    check(mode, output.strip() == "", f"printed {output!r}")


checks = [
    (check_hang, "hang", 2, 0),
    (check_hang, "hang", 3, 1),
    (check_hang, "group", 4, 3),
    (check_stop, 2, 1),
    (check_stop, 3, 0),  # rank 0 is silent: the next judge speaks
    (check_bad, "tangle", 2, 0, 71,
     r"error: all ranks answer, and wait for each other at step 57 in 'gradient all-reduce': MPI's "
     r"connections are broken, or this is a bug" + END % ""),
    (check_bad, "mpi", 2, 1, 71, r"error: rank 1 \([^)]+\): MPI_Allgather failed: .+"),
    (check_bad, "bug", 2, 1, 70, r"bug: rank 1: .*comm_end_child\.c:\d+: .+"),
    (check_silent, 2, "slow", "1"),
    (check_silent, 2, "busy"),
    (check_silent, 1, "suspended"),
]
with open(child, "rb") as file:
    sanitized = re.search(rb"__(asan|tsan)_init", file.read())
if not sanitized:  # sanitizers map memory as they like
    checks += [(check_silent, 2, "thread", "1"), (check_silent, 3, "thread", "0")]
# They sleep most of the time.
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    for done in [pool.submit(*one) for one in checks]:
        done.result()
sys.exit(1 if failures else 0)
