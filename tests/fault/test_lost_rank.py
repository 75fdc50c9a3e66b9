"""One rank goes wrong in each phase of a run, on one host: killed, stopped, slow, without memory, with a
file that cannot be read. The job ends within the limit and ten seconds, with one line that names the
rank where we are still there to write one, and nothing left running; the newest checkpoint is good, and
a run resumed from it has the bits of one that was not disturbed."""
import concurrent.futures
import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
from harness import *

LIMIT_S = 3
STEPS = 30
PHASES = ("forward and backward", "gradient all-reduce", "update", "evaluation", "saving a checkpoint")
folder = temp_folder()
config = small_setup(folder)
MORE = ["--set", f"train.steps={STEPS}", "--set", f"comm.deadline_s={LIMIT_S}"]
good(train(config, f"{folder}/whole", *MORE), "undisturbed")
whole = hashes(f"{folder}/whole")


def left_running(run_dir):
    found = []
    for name in os.listdir("/proc"):
        try:
            with open(f"/proc/{name}/cmdline", "rb") as file:
                if name.isdigit() and f"run.dir={run_dir}".encode() in file.read():
                    found.append(int(name))
        except OSError:
            pass
    return found


def run_with(name, fault, ranks):
    """Result, seconds from when the fault can have happened on, and what is left."""
    run_dir = f"{folder}/{name}"
    began = time.monotonic()
    result = train(config, run_dir, *MORE, "--set", f"debug.fault={fault}", ranks=ranks, timeout=120)
    took_s = time.monotonic() - began
    time.sleep(0.5)
    return run_dir, result, took_s, left_running(run_dir)


def check_resumed(run_dir, name, ranks):
    kept = checkpoints(run_dir)
    good(run("inspect", os.path.join(run_dir, "checkpoints", kept[-1])), f"{name}: newest checkpoint")
    good(train(config, run_dir, *MORE, "--resume", ranks=ranks), f"{name}: resumed")
    got = hashes(run_dir)
    equal({step: got[step] for step in got}, {step: whole[step] for step in got}, f"{name}: bits")
    equal(max(got), STEPS, f"{name}: end")


def check_fault(number, phase, ranks, bad):
    name = f"{signal.Signals(number).name} of rank {bad} of {ranks} in {phase}"
    fault = f"{bad} {int(number)} 10 {phase}"
    run_dir, result, took_s, left = run_with(f"{int(number)}-{phase.replace(' ', '-')}-{bad}", fault, ranks)
    errors = [line for line in result.lines() if line.startswith("error")]
    equal(left, [], f"{name}: left running")
    check(took_s < LIMIT_S + 10 + 10, f"{name}: ended after {took_s:.1f} s, start included")
    if number == signal.SIGKILL:  # the launcher sees it at once, and ends the others
        equal(result.code, 137, f"{name}: exit code\n{result.err}")
        check(len(errors) <= 1, f"{name}: lines\n{result.err}")
    else:
        equal(result.code, 71, f"{name}: exit code\n{result.err}")
        equal(len(errors), 1, f"{name}: lines\n{result.err}")
        check(f"rank {bad} (" in result.err and "stopped by a signal" in result.err, f"{name}: {errors}")
        check(f"in '{phase}'" in result.err, f"{name}: {errors}")
    check_resumed(run_dir, name, ranks)


def check_slow():
    """A straggler that moves, however slow, is left alone, and changes no bit."""
    run_dir, result, took_s, left = run_with("slow", "1 0 10 forward and backward", 2)
    good(result, "slow")
    check(took_s > LIMIT_S, f"it was slow: {took_s:.1f} s")
    equal(hashes(run_dir), whole, "slow: bits")
    warned = [line for line in result.lines() if "is slower than the others" in line]
    check(len(warned) == 1 and "rank 1 (" in warned[0], f"slow: warned once: {result.err}")
    told = [(row["slow_rank"], float(row["slow_share"])) for row in rows(run_dir) if row["slow_rank"]]
    check(told and all(rank == "1" and share > 0.4 for rank, share in told[-5:]), f"slow: {told}")


def check_unreadable():
    """A file that one rank alone cannot read."""
    words = [f"train {config} --set run.dir={folder}/unreadable".split()] * 2
    words[1] = words[1] + ["--set", f"data.path={folder}/missing.h5"]
    line = [MPIEXEC, *MPI_FLAGS, "-n", "1", PROGRAM, *words[0], ":", "-n", "1", PROGRAM, *words[1]]
    done = subprocess.run(line, env=environment(), timeout=60, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    one_line(Result(done.returncode, "", done.stderr.decode()), 74, "rank 1 (", "missing.h5")


def check_memory():
    """A limit of memory on one rank."""
    words = [PROGRAM, "train", config, "--set", f"run.dir={folder}/memory", "--set", "model.width=768",
             "--set", "model.layers=12"]
    limited = ["sh", "-c", 'ulimit -v 500000; exec "$0" "$@"', *words]
    line = [MPIEXEC, *MPI_FLAGS, "-n", "1", *words, ":", "-n", "1", *limited]
    done = subprocess.run(line, env=environment(), timeout=120, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    one_line(Result(done.returncode, "", done.stderr.decode()), 69, "rank 1 (", "memory")


checks = [(check_fault, signal.SIGSTOP, phase, 2 + i % 2, 1 + i % 2) for i, phase in
          enumerate(PHASES[:4])]
checks += [(check_fault, signal.SIGSTOP, PHASES[4], 2, 0)]  # rank 0 alone saves
checks += [(check_fault, signal.SIGKILL, phase, 2, i % 2) for i, phase in enumerate(PHASES[:4])]
checks += [(check_fault, signal.SIGKILL, PHASES[4], 3, 0), (check_slow,), (check_unreadable,)]
if not sanitized():
    checks += [(check_memory,)]
with concurrent.futures.ThreadPoolExecutor(3) as pool:  # they wait most of the time
    for done in [pool.submit(*one) for one in checks]:
        done.result()
finish()
