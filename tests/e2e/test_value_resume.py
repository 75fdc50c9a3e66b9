"""Runs on rows and images that stop in the middle of an epoch and go on, on other ranks, to the bits of an
uninterrupted one, with augmentation, mixing and batch norm on; verify."""
import collections
import csv
import shutil

from values import *

folder = temp_folder()
STEPS = 15
configs = configs_of(folder, STEPS, every=6)
WHOLE = ["--set", "checkpoint.initial=true", "--set", "checkpoint.keep=9"]


def table_of(run_dir, name):
    with open(f"{run_dir}/{name}", newline="") as file:
        return list(csv.DictReader(file))


def outcome(run_dir):
    """Hashes and samples of all steps, and all evaluations."""
    return table_of(run_dir, "hashes.csv"), table_of(run_dir, "samples.csv"), scores(run_dir)


# ---- saved on 4 ranks at step 11, gone on with on 1 and 3; an epoch of 168 samples has 8 steps
for name in ("price", "tags", "bars"):
    run_dir = f"{folder}/{name}"
    good(train(configs[name], run_dir, *WHOLE), f"{name}, uninterrupted")
    want = outcome(run_dir)
    equal(len({row["weights_hash"] for row in want[0]}), STEPS, f"{name}: hashes")
    used = collections.Counter(i for row in want[1][:8] for i in row["samples"].split())
    equal((len(used) in (168, 169), max(used.values())), (True, 1), f"{name}: samples of an epoch")
    saved = f"{folder}/{name}-saved"
    good(train(configs[name], saved, *WHOLE, "--set", "train.steps=11", "--set", "eval.at_end=false", ranks=4),
         f"{name}, 4 ranks to step 11")
    for ranks, threads in ((1, 2), (3, 1)):
        resumed = f"{folder}/{name}-at-{ranks}"
        shutil.copytree(saved, resumed)
        good(train(configs[name], resumed, *WHOLE, "--resume", ranks=ranks, threads=threads), f"{name} on {ranks}")
        equal(outcome(resumed), want, f"{name}: 4 ranks to step 11, then {ranks}")

# ---- verify
for name in ("price", "bars"):
    result = run("verify", f"{folder}/{name}", ranks=2)
    good(result, f"verify {name}")
    check(f"steps 1 to {STEPS} repeat in every bit" in result.out, result.out)
finish()
