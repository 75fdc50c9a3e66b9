#!/usr/bin/env python3
"""Limits of the machine: threads and memory that are not there are named, with the limit, by one line.

Nothing hangs or crashes: every run here has a deadline.
"""
import os
import resource
import shutil
import subprocess

from harness import PROGRAM, check, equal, finish, run, sanitized, temp_folder

NOBODY = 54321  # an account of no one: limits of processes are not for root
SMALL = """data: {path: %s}
model: {layers: 1, heads: 1, width: 16, context: 16}
batch: {size: 4}
train: {steps: 2}
"""


def limited(arguments, limits=(), env=()):
    """Code and lines of the program under limits."""

    def prepare():
        for name, value in limits:
            resource.setrlimit(name, (value, value))

    try:
        done = subprocess.run([PROGRAM] + arguments, env=os.environ | dict(env), preexec_fn=prepare,
                              capture_output=True, text=True, timeout=60)
    except subprocess.TimeoutExpired:
        check(False, f"{arguments} under {limits} ends")
        return None, []
    return done.returncode, done.stderr.splitlines() + done.stdout.splitlines()


def one_error(lines, *parts):
    errors = [line for line in lines if line.startswith("error: ")]
    equal(len(errors), 1, f"lines of errors in {lines}")
    for part in parts:
        check(part in (errors or [""])[0], f"{part!r} in {errors}")


def threads():
    code, lines = limited(["doctor"], env={"OMP_NUM_THREADS": "100000"}.items())
    equal(code, 64, "100000 threads")
    one_error(lines, "OMP_NUM_THREADS", "100000", "4096")
    code, lines = limited(["doctor", "-t", "1000000"])
    equal(code, 64, "-t 1000000")
    env = {"OMP_NUM_THREADS": "3", "OMP_THREAD_LIMIT": "2"}
    code, lines = limited(["doctor"], env=env.items())
    equal(code, 0, "a limit of OpenMP's")
    check(any("2 threads, not 3: OMP_THREAD_LIMIT is 2" in line for line in lines), f"told: {lines}")
    check(any(line.split()[0:3:2] == ["0", "2"] for line in lines), f"a rank of 2 threads: {lines}")


def processes(folder):
    """Threads that the limit of the user takes away."""
    if os.geteuid() != 0:
        return
    program = shutil.copy(PROGRAM, os.path.join(folder, "program"))
    os.chmod(folder, 0o777)
    done = subprocess.run(["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups",
                           "bash", "-c", f"ulimit -u 20 && cd / && exec {program} doctor -t 30"],
                          capture_output=True, text=True, timeout=60,
                          env=os.environ | {"HOME": folder, "TMPDIR": folder})
    told = done.stderr + done.stdout
    if done.returncode == 0:
        check("not 30: ulimit -u is 20" in told, f"ulimit -u 20: {told}")
    else:
        equal(done.returncode, 69, f"ulimit -u 20: {told}")
        check("ulimit -u is 20" in told, f"the limit is named: {told}")


def memory(folder):
    data = os.path.join(folder, "tokens.h5")
    run("prepare", "synth", "-o", data, "--tokens", "4000", "--vocab", "16")
    config = os.path.join(folder, "small.yaml")
    with open(config, "w", encoding="utf-8") as file:
        file.write(SMALL % data)
    space = resource.RLIMIT_AS
    code, lines = limited(["help"], [(space, 200 << 20)], {"OPENBLAS_NUM_THREADS": "64"}.items())
    equal(code, 0, "help in 200 MiB")
    code, lines = limited(["train", config], [(space, 200 << 20)])
    equal(code, 69, "MPI in 200 MiB")
    one_error(lines, "MPI needs", "ulimit -v is 204800 KiB")
    # Room for MPI and not for the library's buffers: once it tried for ever.
    where = ["--set", "run.dir=" + os.path.join(folder, "run"), "--set", "math.gemm=openblas"]
    code, lines = limited(["train", config] + where, [(space, 360 << 20)],
                          {"OMP_NUM_THREADS": "1"}.items())
    equal(code, 69, f"OpenBLAS in 360 MiB: {lines}")
    one_error(lines, "openblas", "ulimit -v is 368640 KiB")
    where[-1] = "model.width=16384"
    code, lines = limited(["train", config] + where, [(space, 1 << 30)])
    equal(code, 69, "a model that is too large")
    one_error(lines, "ulimit -v is 1048576 KiB")


threads()
if not sanitized():  # whose own threads and memory the limits would be for
    temporary = temp_folder()
    processes(temporary)
    memory(temporary)
    shutil.rmtree(temporary)
finish()
