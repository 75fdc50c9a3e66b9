"""Runs on sequences that stop and go on: in the middle of an epoch, on other ranks, after a signal, to the
bits of an uninterrupted one; verify, bisect, sweeps over seeds and folds."""
import collections
import csv
import os
import shutil

from sequences import *

folder = temp_folder()
configs = layout_configs(folder)
STEPS = 20
WHOLE = ["--set", f"train.steps={STEPS}", "--set", "checkpoint.initial=true", "--set", "checkpoint.keep=9"]


def table(run_dir, name):
    with open(f"{run_dir}/{name}", newline="") as file:
        return list(csv.DictReader(file))


def outcome(run_dir):
    """Hashes and samples of all steps, and all evaluations."""
    return table(run_dir, "hashes.csv"), table(run_dir, "samples.csv"), scores(run_dir)


# ---- saved on 4 ranks, gone on with on 1, 3 and 7
whole = {}
for name, n_train, epoch in (("classes", 168, 8), ("reverse", 300, 14), ("sounds", None, None)):
    path, run_dir = configs[name], f"{folder}/{name}"
    good(train(path, run_dir, *WHOLE), f"{name}, uninterrupted")
    whole[name] = run_dir
    want = outcome(run_dir)
    equal(len({row["weights_hash"] for row in want[0]}), STEPS, f"{name}: hashes")
    saved = f"{folder}/{name}-saved"
    good(train(path, saved, *WHOLE, "--set", "train.steps=11", "--set", "eval.at_end=false", ranks=4),
         f"{name}, 4 ranks to step 11")
    for ranks, threads in ((1, 2), (3, 1), (7, 1)):
        run_dir = f"{folder}/{name}-at-{ranks}"
        shutil.copytree(saved, run_dir)
        good(train(path, run_dir, *WHOLE, "--resume", ranks=ranks, threads=threads), f"{name} on {ranks}")
        equal(outcome(run_dir), want, f"{name}: 4 ranks to step 11, then {ranks}")
    if n_train:  # the first epoch uses every training sample once
        used = collections.Counter(i for row in want[1][:epoch] for i in row["samples"].split())
        equal((len(used), max(used.values())), (n_train, 1), f"{name}: samples of an epoch")

# ---- a signal, and the end of the process without one
for how in ("SIGUSR1", "SIGKILL"):
    run_dir = f"{folder}/stopped-{how}"
    process = start("train", configs["reverse"], "--set", f"run.dir={run_dir}", *WHOLE, "--set",
                    "train.steps=100000", "--set", "checkpoint.every=5")
    wait_for(lambda: os.path.isdir(f"{run_dir}/checkpoints") and len(checkpoints(run_dir)) > 2, 60, how)
    process.send_signal(SIGNALS[how] if how in SIGNALS else 9)
    process.communicate(timeout=60)
    at = int(checkpoints(run_dir)[-1].split("_")[1].split(".")[0])
    equal(process.returncode, 75 if how == "SIGUSR1" else -9, f"exit code after {how}")
    more = ["--set", f"train.steps={at + 4}"]
    good(train(configs["reverse"], run_dir, *WHOLE, *more, "--resume", ranks=2), f"resumed after {how}")
    reference = f"{folder}/reference-{how}"
    good(train(configs["reverse"], reference, *WHOLE, *more), f"{how}: uninterrupted")
    equal(table(run_dir, "hashes.csv"), table(reference, "hashes.csv"), f"hashes after {how}")

# ---- verify and bisect
for name in ("classes", "sounds"):
    result = run("verify", whole[name], ranks=3)
    good(result, f"verify {name}")
    check(f"steps 1 to {STEPS} repeat in every bit" in result.out, result.out)
flipped = f"{folder}/flipped"
good(train(configs["reverse"], flipped, *WHOLE, "--set", "debug.flip_step=13", ranks=1), "flipped")
result = run("bisect", whole["reverse"], flipped, threads=2)
equal(result.code, 79, "bisect")
check("part at step 13" in result.out and "element 0" in result.out, result.out)
result = run("bisect", whole["reverse"], f"{folder}/reverse-at-7")
good(result, "bisect of equal runs")
check(f"agree in every bit up to step {STEPS}" in result.out, result.out)

# ---- sweeps
folded = config(f"{folder}/folds.yaml", folds(folder), LAYOUT_CASES["classes"][1], steps=10, every=5)
result = train(folded, f"{folder}/folds", "--splits", "all", "--set", "eval.select=accuracy", ranks=2)
good(result, "--splits all")
check("over 3 runs" in result.out and "test_accuracy" in result.out, result.out)
equal(len({tuple(hashes(f"{folder}/folds/split_{k}").values()) for k in range(3)}), 3, "folds differ")
tables = []
for ranks in (1, 2):
    result = train(configs["reverse"], f"{folder}/seeds-{ranks}", "--seeds", "0-1", ranks=ranks)
    good(result, f"--seeds on {ranks}")
    check("over 2 runs" in result.out and "valid_per" in result.out, result.out)
    tables.append([line for line in result.out.splitlines() if "_per" in line or "loss" in line])
    equal(hashes(f"{folder}/seeds-{ranks}/seed_1"), hashes(f"{folder}/seeds-1/seed_1"), "seed 1")
equal(tables[1], tables[0], "tables of sweeps")
finish()
