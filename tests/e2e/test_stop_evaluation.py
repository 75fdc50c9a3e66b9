"""A stop while an evaluation runs: exit code 75, a checkpoint of that step, and after --resume the
same weights and the same evaluations as without it."""
import os

from harness import *

# A tenth of the tokens is for validation: a step takes milliseconds, an evaluation a second or more.
TEXT = """
data: {path: %s}
model: {layers: 1, heads: 2, width: 32, context: 16, dropout: 0.1}
batch: {size: 10, blocks: 7}
train: {steps: 6}
schedule: {warmup_steps: 2}
eval: {every: 3}
checkpoint: {every: 0, keep: 3}
log: {every: 1}
"""
N_TOKENS = 6000000

folder = temp_folder()
data = os.path.join(folder, "data.h5")
good(run("prepare", "synth", "--tokens", N_TOKENS, "--vocab", 17, "-o", data), "prepare")
config = os.path.join(folder, "long.yaml")
with open(config, "w") as file:
    file.write(TEXT % data)
whole = os.path.join(folder, "whole")
good(train(config, whole), "uninterrupted")
equal(sorted(valid_losses(whole)), [3, 6], "evaluations of the uninterrupted run")


def has_step(run_dir, step):
    return os.path.exists(f"{run_dir}/metrics.csv") and step in losses(run_dir)


def evaluations(run_dir):
    return [(r["step"], r["valid_loss"]) for r in rows(run_dir) if r["valid_loss"]]


def stopped_inside(run_dir, step, code, err, name):
    """The evaluation after `step` was begun and given up."""
    equal(code, 75, f"{name}: exit code\n{err}")
    check("--resume" in err, f"{name}: {err}")
    equal(max(losses(run_dir)), step, f"{name}: stopped after step")
    check(step not in valid_losses(run_dir), f"{name}: no loss of half an evaluation")
    check(f"step_{step:08d}.h5" in checkpoints(run_dir), f"{name}: {checkpoints(run_dir)}")


def ends_alike(run_dir, name, **how):
    good(train(config, run_dir, "--resume", **how), f"{name}: resumed")
    equal(hashes(run_dir), hashes(whole), f"{name}: weights")
    equal(losses(run_dir), losses(whole), f"{name}: losses")
    equal(evaluations(run_dir), evaluations(whole), f"{name}: evaluations")


# ---- a signal, once the step before the evaluation is through: in the middle, and at the end
for step, ranks, later in ((3, 0, 0), (6, 0, 0), (3, 2, 3), (6, 3, 2)):
    name = f"signal after step {step}, ranks {ranks}, then {later}"
    run_dir = os.path.join(folder, f"signal-{step}-{ranks}")
    process = start("train", config, "--set", f"run.dir={run_dir}", ranks=ranks)
    wait_for(lambda: has_step(run_dir, step), 120, f"{name}: step {step}")
    process.send_signal(SIGNALS["SIGUSR1"])
    _, err = process.communicate(timeout=120)
    stopped_inside(run_dir, step, process.returncode, err, name)
    ends_alike(run_dir, name, ranks=later)

# ---- the time budget, where nearly all the time is evaluation
run_dir = os.path.join(folder, "budget")
result = train(config, run_dir, "--set", "train.time_budget_s=0.5", "--set", "eval.every=1", ranks=2)
stopped_inside(run_dir, max(losses(run_dir)), result.code, result.err, "time budget")
good(train(config, run_dir, "--resume", "--set", "eval.every=3", "--set", "train.time_budget_s=0",
           ranks=1), "time budget: resumed")
equal(hashes(run_dir), hashes(whole), "time budget: weights")
again = [row for row in evaluations(run_dir) if row[0] in ("3", "6")]  # and others, as far as the budget went
equal(again, evaluations(whole), "time budget: evaluations")
finish()
