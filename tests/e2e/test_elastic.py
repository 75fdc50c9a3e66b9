"""Elastic resume and the hashes that prove it: a run saved at 4 ranks in the middle of an epoch goes
on at 1, 2, 3 and 7 to the same bits, with every sample used exactly once an epoch; weights that
drift on one rank are found and the rank is named."""
import collections
import csv
import os
import shutil

from harness import *

folder = temp_folder()
# 4000 tokens: 224 training samples of 16 an epoch; 20 steps of 30 cross the seams at 7.5 and 14.9.
config = small_setup(folder, n_tokens=4000, text=SMALL.replace("size: 10, blocks: 7",
                                                               "size: 30, blocks: 11"))
canonical = ["--set", "comm.allreduce=canonical", "--set", "log.samples=true"]


def path(name):
    return os.path.join(folder, name)


def step_hashes(run_dir):
    with open(os.path.join(run_dir, "hashes.csv"), newline="") as file:
        return [tuple(row.values()) for row in csv.DictReader(file)]


def ledger(run_dir):
    """Sample ids in the order of use."""
    with open(os.path.join(run_dir, "samples.csv"), newline="") as file:
        return [int(s) for row in csv.DictReader(file) for s in row["samples"].split()]


bf16 = ["--set", "train.precision=bf16"]
good(train(config, path("bf16"), *bf16, ranks=1), "bf16, uninterrupted")
good(train(config, path("bf16-saved"), *bf16, "--set", "train.steps=8", "--set",
           "schedule.decay_steps=20", ranks=4), "bf16, 4 ranks to step 8")
good(train(config, path("bf16-saved"), *bf16, "--resume", ranks=3), "bf16, then 3")
equal(step_hashes(path("bf16-saved")), step_hashes(path("bf16")), "bf16: hashes of every step")
good(run("verify", path("bf16"), ranks=2), "bf16: verify on 2 ranks")
refused = train(config, path("bf16-saved"), "--resume", "--set", "train.steps=21", ranks=1)
check(refused.code == 78 and "train.precision is float32" in refused.err, f"refused: {refused.err}")

whole = path("whole")
good(train(config, whole, *canonical, ranks=1), "uninterrupted")
want = step_hashes(whole)
equal([int(row[0]) for row in want], list(range(1, 21)), "a hash for every step")
equal(len(set(want)), 20, "hashes differ from step to step")

for stop_at in (5, 8):  # inside an epoch, and right after a seam
    saved = path(f"saved-{stop_at}")
    good(train(config, saved, *canonical, "--set", f"train.steps={stop_at}", "--set",
               "schedule.decay_steps=20", ranks=4), f"4 ranks to step {stop_at}")
    for ranks, threads in ((1, 2), (2, 1), (3, 1), (7, 1)):
        run_dir = path(f"from-{stop_at}-at-{ranks}")
        shutil.copytree(saved, run_dir)
        good(train(config, run_dir, *canonical, "--resume", ranks=ranks, threads=threads),
             f"4 ranks to {stop_at}, then {ranks}")
        equal(step_hashes(run_dir), want, f"hashes of every step, 4 ranks to {stop_at}, then {ranks}")
        used = collections.Counter(ledger(run_dir))
        equal(sum(used.values()), 20 * 30, "samples used")
        equal(max(used.values()), 1, "no sample id of an epoch twice")
        per_epoch = max(i for i in used) + 1
        first = [i for i in used if i < 224]
        equal(len(first), 224, "every sample of the first epoch was used")
        check(per_epoch > 2 * 224, "the third epoch was reached")

# A flipped bit in one rank's weights.
for ranks, bad in ((2, 1), (3, 1), (4, 0)):
    run_dir = path(f"flip-{ranks}")
    result = train(config, run_dir, "--set", "check.every=4", "--set", "checkpoint.every=0", "--set",
                   "eval.every=0", "--set", "debug.flip_step=5", "--set", f"debug.flip_rank={bad}",
                   ranks=ranks)
    equal(result.code, 71, f"exit code when weights drift\n{result.err}")
    errors = [line for line in result.lines() if line.startswith("error")]
    check(len(errors) == 1 and "step 8" in errors[0] and "differ" in errors[0] and
          (f"rank {bad}" if ranks > 2 else "rank ") in errors[0], f"names the rank: {result.err}")
    equal(max(losses(run_dir)), 7, "stopped within check.every steps")
finish()
