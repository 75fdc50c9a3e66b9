"""What the end-to-end tests share: running the program, reading what it wrote, checks.

Standard library only. The program comes in TRIREME, mpirun in TRM_MPIEXEC and
TRM_MPI_FLAGS (CTest sets all).
A test script is silent when right; `finish()` gives the verdict.
"""
import atexit
import csv
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

PROGRAM = os.environ["TRIREME"]
MPIEXEC = os.environ.get("TRM_MPIEXEC", "mpirun")
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def launcher_flags():
    """By which several ranks share few cores; launch/parts/mpi.sh knows them for each MPI."""
    known = os.environ.get("TRM_MPI_FLAGS")
    if known is None:
        known = subprocess.run(["bash", os.path.join(SOURCE, "launch", "parts", "mpi.sh"), MPIEXEC],
                               check=True, capture_output=True, text=True).stdout
    return known.split()


MPI_FLAGS = launcher_flags()

_failures = 0


def check(condition, text):
    global _failures
    if not condition:
        _failures += 1
        print("not true:", text, file=sys.stderr)
    return condition


def equal(got, want, text):
    return check(got == want, f"{text}: {got!r}, expected {want!r}")


def finish():
    settle()
    sys.exit(1 if _failures else 0)


def skip(reason):
    print("skipped:", reason)
    sys.exit(77)


def data_folder():
    """Folder of the real data sets, or None."""
    folder = os.environ.get("TRIREME_DATA") or os.path.join(SOURCE, "..", "shared", "data")
    return os.path.abspath(folder) if os.path.isdir(folder) else None


def sanitized():
    """Whether the program was built with a sanitizer, which takes memory of its own."""
    with open(PROGRAM, "rb") as file:
        content = file.read()
    return b"__asan_init" in content or b"__tsan_init" in content


class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def lines(self):
        """Lines of the error stream."""
        return [line for line in self.err.splitlines() if line.strip()]


def other_build(path):
    """A copy of the program with another build id; False where it has none."""
    with open(PROGRAM, "rb") as file:
        content = bytearray(file.read())
    at = content.find(b"\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0")
    if at < 0:
        return False
    content[at + 16] ^= 0xFF
    with open(path, "wb") as file:
        file.write(content)
    shutil.copymode(PROGRAM, path)
    return True


def environment(threads=1):
    env = dict(os.environ)
    env["OMP_NUM_THREADS"] = str(threads)
    env["OMP_WAIT_POLICY"] = "passive"  # ranks share cores here
    return env


def command(words, ranks):
    words = [PROGRAM] + [str(word) for word in words]
    return [MPIEXEC, *MPI_FLAGS, "-n", str(ranks), *words] if ranks else words


def run(*words, ranks=0, threads=1, timeout=120, cwd=None, given=b""):
    """ranks 0: the program itself, without mpirun. given: bytes on standard input."""
    done = subprocess.run(command(words, ranks), env=environment(threads), timeout=timeout,
                          cwd=cwd, input=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = (text.decode(errors="replace") for text in (done.stdout, done.stderr))
    return Result(done.returncode, out, err)


def start(*words, ranks=0, threads=1, cwd=None):
    """Started, not waited for; in a process group of its own."""
    return subprocess.Popen(command(words, ranks), env=environment(threads), cwd=cwd,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, start_new_session=True)


def children(pid):
    """Processes whose parent is `pid`."""
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat") as file:
                fields = file.read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append(int(name))
    return found


def descendants(pid):
    """Processes that it started, and theirs: between MPICH's launcher and the ranks is one more."""
    own = children(pid)
    return own + [one for child in own for one in descendants(child)]


def with_mpich():
    """Whether the program was built with MPICH, whose launcher does some things otherwise."""
    return "mpich" in subprocess.run(["ldd", PROGRAM], capture_output=True, text=True).stdout


def good(result, text):
    return check(result.code == 0, f"{text}: exit code {result.code}\n{result.err}")


# Commands that end in a mistake wait more than they compute, so a few of them fit beside each other.
_workers = ThreadPoolExecutor(max_workers=3)
_waiting = []


def later(judge, call, *words, **how):
    """Begins call(*words, **how), which needs nothing that is still waited for; settle() has it judged."""
    _waiting.append((_workers.submit(call, *words, **how), judge))


def settle():
    """Judges what later() has begun, in its order."""
    for result, judge in _waiting:
        judge(result.result())
    _waiting.clear()


def one_line(result, code, *parts):
    """Exactly one line on stderr, with these parts, and this exit code."""
    shown = f"code {result.code}, stderr:\n{result.err}"
    check(result.code == code, f"exit code {code} expected; {shown}")
    errors = [line for line in result.lines() if not re.match(r"warning: ", line)]
    check(len(errors) == 1, f"one line expected; {shown}")
    for part in parts:
        check(part in result.err, f"{part!r} expected; {shown}")


def _discard(folder):
    """What a test that went right leaves is of no use; after a failure it is looked at."""
    if not _failures:
        shutil.rmtree(folder, ignore_errors=True)


def temp_folder():
    folder = tempfile.mkdtemp(prefix="trireme-e2e-")
    atexit.register(_discard, folder)
    return folder


def rows(run_dir):
    with open(os.path.join(run_dir, "metrics.csv"), newline="") as file:
        return list(csv.DictReader(file))


def hashes(run_dir):
    """{step: hash of the weights} of the logged steps."""
    return {int(r["step"]): r["weights_hash"] for r in rows(run_dir) if r["weights_hash"]}


def losses(run_dir):
    return {int(r["step"]): float(r["loss"]) for r in rows(run_dir) if r["loss"]}


def valid_losses(run_dir):
    return {int(r["step"]): float(r["valid_loss"]) for r in rows(run_dir) if r["valid_loss"]}


def scores(run_dir):
    """Everything an evaluation says, by step."""
    kept = [r for r in rows(run_dir) if r["valid_loss"]]
    return [{k: v for k, v in r.items() if k not in ("elapsed_s", "peak_rss_mb")} for r in kept]


def checkpoints(run_dir):
    folder = os.path.join(run_dir, "checkpoints")
    return sorted(name for name in os.listdir(folder) if name.startswith("step_"))


SMALL = """
data: {path: %s}
model: {layers: 2, heads: 2, width: 32, context: 16, dropout: 0.1}
batch: {size: 10, blocks: 7}
train: {steps: 20}
schedule: {warmup_steps: 5}
eval: {every: 10}
checkpoint: {every: 5, keep: 3}
log: {every: 1}
"""


def small_setup(folder, n_tokens=6000, vocab=17, text=SMALL):
    """A synthetic data set and a configuration of a small model on it; the configuration's path."""
    data = os.path.join(folder, "data.h5")
    good(run("prepare", "synth", "--tokens", n_tokens, "--vocab", vocab, "-o", data), "prepare")
    path = os.path.join(folder, "small.yaml")
    with open(path, "w") as file:
        file.write(text % data)
    return path


def train(config, run_dir, *more, **how):
    return run("train", config, "--set", f"run.dir={run_dir}", *more, **how)


def wait_for(condition, seconds, text):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return check(False, f"within {seconds} s: {text() if callable(text) else text}")


SIGNALS = {name: getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGXCPU",
                                                          "SIGUSR1", "SIGUSR2")}
