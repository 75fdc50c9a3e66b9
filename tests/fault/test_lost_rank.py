"""One rank goes wrong in each phase of a run, on one host: killed, stopped, slow; or it goes on without
memory, with a file that cannot be read, with other data, another configuration, another build. The job
ends within the limit and ten seconds, with one line that names the rank, and nothing left running; the
newest checkpoint is good, and a run resumed from it has the bits of one that was not disturbed.
(Of a killed rank launch/run writes the line. Hosts: cluster/test_lost_host.py; a full disk:
test_full_disk.py.)"""
import concurrent.futures

from launching import *

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


def run_with(name, fault, ranks, killed=False):
    """Result, seconds from when the fault can have happened on, and what is left."""
    run_dir = f"{folder}/{name}"
    began = time.monotonic()
    words = ["train", config, "--set", f"run.dir={run_dir}", *MORE, "--set", f"debug.fault={fault}"]
    if killed:  # whom the launcher sees at once; before the others say so
        words += ["--set", "comm.deadline_s=30"]
    result = end(launch(*words, ranks=ranks), 120) if killed else run(*words, ranks=ranks)
    took_s = time.monotonic() - began
    time.sleep(0.5)
    return run_dir, result, took_s, left_running(run_dir)


def check_resumed(run_dir, name, ranks, more=MORE, bits=whole):
    kept = checkpoints(run_dir)
    good(run("inspect", os.path.join(run_dir, "checkpoints", kept[-1])), f"{name}: newest checkpoint")
    good(train(config, run_dir, *more, "--resume", ranks=ranks), f"{name}: resumed")
    got = hashes(run_dir)
    equal(got, {step: bits[step] for step in got}, f"{name}: bits")
    equal(max(got), max(bits), f"{name}: end")


def check_fault(number, phase, ranks, bad):
    name = f"{signal.Signals(number).name} of rank {bad} of {ranks} in {phase}"
    fault = f"{bad} {int(number)} 10 {phase}"
    run_dir, result, took_s, left = run_with(f"{int(number)}-{phase.replace(' ', '-')}-{bad}", fault, ranks,
                                             number == signal.SIGKILL)
    errors = [line for line in result.lines() if line.startswith(("error", "launch/run"))]
    equal(left, [], f"{name}: left running")
    check(took_s < LIMIT_S + 10 + 10, f"{name}: ended after {took_s:.1f} s, start included")
    if number == signal.SIGKILL:  # the launcher sees it at once, and ends the others
        equal(result.code, 137, f"{name}: exit code\n{result.err}")
        equal(len(errors), 1, f"{name}: lines\n{result.err}")
        check(f"rank {bad} on " in result.err and "signal 9 (KILL)" in result.err, f"{name}: {errors}")
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


class Stopped:
    """A run that was told to stop at a step, to be gone on with in ways that fail."""

    def __init__(self, name, step, more, bits):
        self.name, self.more, self.bits = name, more, bits
        result = train(config, f"{folder}/{name}", *more, "--set", f"debug.fault=1 15 {step} update", ranks=2)
        equal(result.code, 75, f"{name}: it is stopped: {result.err}")


def check_second(stopped, name, code, *parts, program=(PROGRAM,), words=()):
    """Two ranks go on; the second has more words, or is another program."""
    run_dir = f"{folder}/{name}"
    shutil.copytree(f"{folder}/{stopped.name}", run_dir)
    all_words = ["train", config, "--set", f"run.dir={run_dir}", *stopped.more, "--resume"]
    line = [MPIEXEC, *MPI_FLAGS, "-n", "1", PROGRAM, *all_words, ":", "-n", "1", *program, *all_words, *words]
    began = time.monotonic()
    done = subprocess.run(line, env=environment(), timeout=120, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    took_s = time.monotonic() - began
    check(took_s < LIMIT_S + 10 + 20, f"{name}: ended after {took_s:.1f} s, start included")
    one_line(Result(done.returncode, "", done.stderr.decode()), code, "rank 1 (", *parts)
    equal(left_running(run_dir), [], f"{name}: left running")
    check_resumed(run_dir, name, 2, stopped.more, stopped.bits)


def check_starts():
    """What one rank alone cannot do, or has differently, when a run goes on."""
    half = Stopped("half", 15, MORE, whole)
    other = f"{folder}/other.h5"
    good(run("prepare", "synth", "--tokens", 6000, "--vocab", 17, "--seed", 5, "-o", other), "other data")
    check_second(half, "unreadable", 66, "missing.h5", words=["--set", f"data.path={folder}/missing.h5"])
    check_second(half, "data", 78, "checksum", words=["--set", f"data.path={other}"])
    check_second(half, "configuration", 78, "optimizer.lr", words=["--set", "optimizer.lr=0.5"])
    if other_build(f"{folder}/trireme"):
        check_second(half, "build", 78, ", build ", program=[f"{folder}/trireme"])


def check_memory():
    """A limit of memory on one rank, of a model that takes some."""
    more = ["--set", "train.steps=3", "--set", "model.width=512", "--set", "model.layers=4", "--set",
            "schedule.warmup_steps=0", "--set", "comm.deadline_s=60"]
    good(train(config, f"{folder}/wide", *more), "wide, undisturbed")
    stopped = Stopped("wide-half", 2, more, hashes(f"{folder}/wide"))
    check_second(stopped, "memory", 69, "memory", "ulimit -v is 450000 KiB",
                 program=["sh", "-c", 'ulimit -v 450000; exec "$0" "$@"', PROGRAM])


checks = [(check_fault, signal.SIGSTOP, phase, 2 + i % 2, 1 + i % 2) for i, phase in
          enumerate(PHASES[:4])]
checks += [(check_fault, signal.SIGSTOP, PHASES[4], 2, 0)]  # rank 0 alone saves
checks += [(check_fault, signal.SIGKILL, phase, 2, i % 2) for i, phase in enumerate(PHASES[:4])]
checks += [(check_fault, signal.SIGKILL, PHASES[4], 3, 0), (check_slow,), (check_starts,)]
if not sanitized():
    checks += [(check_memory,)]
with concurrent.futures.ThreadPoolExecutor(3) as pool:  # they wait most of the time
    for done in [pool.submit(*one) for one in checks]:
        done.result()
finish()
