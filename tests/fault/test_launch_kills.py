#!/usr/bin/env python3
"""Random kills over one run under launch/run --restart: of a rank, of mpirun, of the whole job with
launch/run, which is then started again on another number of ranks, 1 to 4. The weights are those of a
run that nobody touched, after every checkpoint that both have.

    test_launch_kills.py [KILLS] [SEED]      default: 200 and the clock; CTest has the label `long`
"""
import random

from launching import *

n_kills = int(sys.argv[1]) if len(sys.argv) > 1 else 200
seed = int(sys.argv[2]) if len(sys.argv) > 2 else int(time.time())
random.seed(seed)
folder = temp_folder()
config = small_setup(folder)
STEPS = 40 * n_kills
KEYS = ["--set", f"train.steps={STEPS}", "--set", "eval.every=0", "--set", "log.tensorboard=false",
        "--set", "checkpoint.every=2", "--set", "checkpoint.keep=3"]
whole, run_dir = os.path.join(folder, "whole"), os.path.join(folder, "killed")
good(train(config, whole, *KEYS, "--set", "checkpoint.every=1000", timeout=3600), "uninterrupted")


def begin():
    return launch("train", config, "--resume", "--set", f"run.dir={run_dir}", *KEYS,
                  ranks=random.randint(1, 4), options=["--restart", n_kills, "--wait", 0])


def kill_job(process):
    """What a power cut would do."""
    of = mark(process)
    for pid in [process.pid, *members(of)]:
        kill(pid)
    process.wait()
    wait_for(lambda: not members(of), 10, "all are gone")


def kill_one(process, kind):
    """Until launch/run has noticed."""
    lost = lambda: len(re.findall("starting again", text(process)))
    before = lost()
    kill(launcher(process) if kind == "mpirun" else random.choice(ranks_of(process)))
    wait_for(lambda: process.poll() is not None or lost() > before, 60, f"{kind} is missed")


counts = {"rank": 0, "mpirun": 0, "job": 0}
process = begin()
saved = -1
while sum(counts.values()) < n_kills:
    wait_for(lambda: process.poll() is not None or (newest(run_dir) > saved and ranks_of(process)), 120,
             lambda: f"a checkpoint after step {saved}: {text(process)[-500:]!r}")
    if process.poll() is not None:
        break
    time.sleep(random.uniform(0, 0.3))
    if not ranks_of(process):
        continue
    kind = random.choice(["rank", "rank", "mpirun", "job"])
    if kind == "job":
        kill_job(process)
    else:
        kill_one(process, kind)
    saved = newest(run_dir)
    counts[kind] += 1
    if kind == "job":
        process = begin()
done = sum(counts.values())
result = end(process, 3600)
equal(result.code, 0, f"the run ends; it said {result.err[-1000:]!r}")
check(done == n_kills, f"{n_kills} kills: {counts} before the run was through")
equal(hashes(run_dir)[STEPS], hashes(whole)[STEPS], f"weights after {counts}, seed {seed}")
if sys.stdout.isatty() or len(sys.argv) > 1:
    print(f"{done} kills ({counts}), seed {seed}: the weights are those of an undisturbed run")
finish()
