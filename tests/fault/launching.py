"""What the tests of launch/run share: its processes, and waiting for what a run has come to."""
import os
import shutil
import signal
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
from harness import *

RUN = os.path.join(SOURCE, "launch", "run")
ENDLESS = ["--set", "train.steps=1000000", "--set", "eval.every=0", "--set", "log.tensorboard=false"]


def launch(*words, ranks=2, options=(), env=None, threads=1):
    """Started, not waited for; what it says goes to files, so that it never waits for a reader."""
    # The ranks of these tests share cores.
    full = [RUN, "-n", str(ranks), "-t", str(threads), "-b", "none", *map(str, options), "--",
            *map(str, words)]
    said = open(os.path.join(temp_folder(), "said"), "w+")
    # A signal that this test ignores would be ignored by the shell for good.
    restore = lambda: [signal.signal(s, signal.SIG_DFL) for s in (signal.SIGINT, signal.SIGHUP)]
    process = subprocess.Popen(full, env=dict(environment(threads), TRIREME=PROGRAM, **(env or {})),
                               stdin=subprocess.DEVNULL, stdout=said, stderr=said,
                               preexec_fn=restore)
    process.said = said
    return process


def text(process):
    with open(process.said.name) as file:
        return file.read()


def end(process, seconds=60):
    """Its exit code and what it said."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        check(False, f"launch/run has not ended after {seconds} s; it said {text(process)!r}")
        finish()
    return Result(process.returncode, "", text(process))


def stat(pid):
    """State, parent, group and session of a process; None when it is gone."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else (fields[0], *map(int, fields[1:4]))


def processes():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def launcher(process):
    """mpirun under launch/run: the child that leads a session."""
    for pid in children(process.pid):
        found = stat(pid)
        if found and found[3] == pid:
            return pid
    return None


def environ(pid):
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return file.read().split(b"\0")
    except OSError:
        return []


def mark(process):
    """What the environment of all processes of the job says; None while none runs."""
    found = [word for word in environ(launcher(process)) if word.startswith(b"TRIREME_LAUNCH=")]
    return found[0] if found else None


def members(of):
    return [pid for pid in processes() if of in environ(pid)]


def is_rank(pid):
    try:
        return os.path.realpath(f"/proc/{pid}/exe") == os.path.realpath(PROGRAM)
    except OSError:
        return False


def ranks_of(process):
    """Processes of the ranks, in the order they were started."""
    of = mark(process)
    return sorted(pid for pid in members(of) if is_rank(pid)) if of else []


def newest(run_dir):
    folder = os.path.join(run_dir, "checkpoints")
    names = checkpoints(run_dir) if os.path.isdir(folder) else []
    return int(names[-1][5:-3]) if names else -1


def trains(process, run_dir, ranks, after=-1, seconds=60):
    """Waits for all ranks, and for a checkpoint of a later step than `after`."""
    return wait_for(lambda: process.poll() is not None or
                    (newest(run_dir) > after and len(ranks_of(process)) == ranks), seconds,
                    lambda: f"{ranks} ranks train; launch/run said {text(process)!r}")


def kill(pid, number=signal.SIGKILL):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def own_lines(result):
    return [line for line in result.lines() if line.startswith("launch/run: ")]
