"""Early stopping with its reason and the best weights restored; the training part measured as the
validation part is; norms of parameters. One decision and the same numbers on any layout."""
import csv
import math
import os
import re

import graphs
import sequences
from harness import *

folder = temp_folder()
config = small_setup(folder)
CANONICAL = ("--set", "comm.allreduce=canonical")
SHARDED = ("--set", "optimizer.sharded=true")
LAYOUTS = ((1, ()), (2, SHARDED), (3, ()), (4, SHARDED))


def path(name):
    return os.path.join(folder, name)


def sets(text):
    return [word for item in text.split() for word in ("--set", item)]


# ---- patience: a rate that soon makes it worse
worse = [*CANONICAL, *sets("train.steps=400 optimizer.lr=0.3 schedule.name=constant eval.every=4 checkpoint.every=0")]
ends, reasons = [], []
for ranks, more in LAYOUTS:
    run_dir = path(f"evals-{ranks}")
    result = train(config, run_dir, *worse, *more, *sets("train.patience_evals=3 train.restore_best=true"), ranks=ranks)
    good(result, f"patience of evaluations on {ranks}")
    ends.append(max(hashes(run_dir)))
    events = [(int(row["step"]), row["event"]) for row in rows(run_dir) if row["event"]]
    equal(len(events), 1, f"one reason in metrics.csv: {events}")
    reasons.append(events)
    check("none of the last 3 evaluations was better (train.patience_evals): the run ends at step" in result.err,
          result.err)
    equal(events[0], (ends[-1], "none of the last 3 evaluations was better"), "the reason")
equal(len(set(ends)), 1, f"one decision on any layout: {ends}")
losses_by_step = valid_losses(path("evals-1"))
best = min(losses_by_step, key=lambda step: losses_by_step[step])
equal(ends[0], best + 12, f"3 evaluations behind the best: {losses_by_step}")
shown = run("evaluate", path("evals-2"))
good(shown, "evaluate the result")
check(f"step {best}:" in shown.out, f"the result is the best: {shown.out}")
before = rows(path("evals-1"))
good(train(config, path("evals-1"), *worse, *sets("train.patience_evals=3 train.restore_best=true"), "--resume"),
     "resumed when it had ended")
equal(rows(path("evals-1")), before, "no row twice")
longer = train(config, path("evals-1"), *worse, *sets("train.patience_evals=5 train.restore_best=true"), "--resume",
               "--allow-changes", ranks=2)
good(longer, "goes on with more patience")
equal(max(hashes(path("evals-1"))), best + 20, "two evaluations more")
straight = path("evals-5")
good(train(config, straight, *worse, *sets("train.patience_evals=5")), "the same without a break")
equal(hashes(path("evals-1")), hashes(straight), "a resumed run goes on from its last weights")

epochs = path("epochs")
good(train(config, epochs, *worse, *sets("train.patience_epochs=0.5")), "patience of epochs")
check(0 < max(hashes(epochs)) - best < 30, "half an epoch of 33.6 steps and up to an evaluation")
delta = path("delta")
good(train(config, delta, *worse, *sets("train.patience_evals=2 train.min_delta=100")), "min_delta")
equal(max(hashes(delta)), 12, "nothing is better by 100 than the first")
one_line(train(config, path("x"), *sets("train.patience=3 train.patience_evals=3")), 78, "train.patience_evals",
         "set one of them to 0")
one_line(train(config, path("x"), *sets("train.min_delta=1")), 78, "train.min_delta")
one_line(train(config, path("x"), *sets("train.restore_best=true eval.every=0")), 78, "train.restore_best", "eval.every")


# ---- both curves, of text
def curve(run_dir):
    return {int(row["step"]): float(row["train_loss"]) for row in rows(run_dir) if row["valid_loss"]}


both = sets("eval.train=true log.norms=5 checkpoint.every=5")
want = None
for ranks, more in LAYOUTS:
    run_dir = path(f"both-{ranks}")
    good(train(config, run_dir, *CANONICAL, *both, *more, ranks=ranks), f"both curves on {ranks}")
    with open(os.path.join(run_dir, "norms.csv"), newline="") as file:
        norms = list(csv.DictReader(file))
    got = (curve(run_dir), valid_losses(run_dir), norms)
    want = want or got
    equal(got, want, f"both curves and norms on {ranks} ranks {more}")
good(train(config, path("plain"), *CANONICAL), "one curve")
equal(hashes(path("both-1")), hashes(path("plain")), "measuring changes nothing")
check(all(0 < want[0][step] < 4 and want[0][step] != want[1][step] for step in (10, 20)), f"curves {want[:2]}")
part = path("part")
good(train(config, part, *CANONICAL, *sets("eval.train=true eval.train_share=0.3"), ranks=2), "a share")
check(all(curve(part)[step] != want[0][step] and abs(curve(part)[step] - want[0][step]) < 0.2 for step in (10, 20)),
      f"a share: {curve(part)}, {want[0]}")
shown = run("evaluate", path("both-1"), ranks=2)
check(f"{want[0][20]:.6f}" in shown.out, f"evaluate tells it too: {shown.out}")

# norms: of all gradients together what metrics.csv says
by_step = {}
for row in want[2]:
    by_step.setdefault(int(row["step"]), {})[row["parameter"]] = row
equal(sorted(by_step), [5, 10, 15, 20], "steps of norms.csv")
for step, parameters in by_step.items():
    whole = math.sqrt(sum(float(row["grad_norm"]) ** 2 for row in parameters.values()))
    said = next(float(row["grad_norm"]) for row in rows(path("both-1")) if row["step"] == str(step) and row["loss"])
    check(abs(whole - said) < 1e-6 * said, f"step {step}: {whole} of parts, {said} of the whole")
    check(all(float(row["weight_norm"]) > 0 for name, row in parameters.items() if "weight" in name), "weights")
resumed = path("both-cut")
good(train(config, resumed, *CANONICAL, *both, *sets("train.steps=10 schedule.decay_steps=20"), ranks=2), "to 10")
good(train(config, resumed, *CANONICAL, *both, *sets("schedule.decay_steps=20"), "--resume", ranks=3), "to 20")
with open(os.path.join(resumed, "norms.csv"), newline="") as file:
    equal(list(csv.DictReader(file)), want[2], "norms after a resume")

# ---- of samples, with their scores; dropout is off
moods = sequences.labelled(folder, "moods", sequences.moods(120), "--valid-share", "0.3")
setup = sequences.write(path("moods.yaml"), sequences.QUICK % {
    "data": moods, "steps": 12, "every": 6,
    "body": "model: {kind: encoder, layers: 1, heads: 2, width: 16, context: 24, dropout: 0.4}\nbatch: {size: 16, blocks: 4}"})
for ranks, more in LAYOUTS:
    run_dir = path(f"moods-{ranks}")
    good(train(setup, run_dir, *CANONICAL, *sets("eval.train=true eval.train_share=0.5"), *more, ranks=ranks),
         f"samples on {ranks}")
    equal(scores(run_dir), scores(path("moods-1")), f"scores on {ranks} ranks")
row = scores(path("moods-1"))[-1]
check(0 <= float(row["train_accuracy"]) <= 1 and float(row["train_loss"]) > 0, f"{row}")

# ---- of nodes and graphs
cases = graphs.layout_configs(folder)
for name in ("gcn", "gin-set"):
    for ranks in (1, 3):
        run_dir = path(f"graph-{name}-{ranks}")
        good(train(cases[name], run_dir, *CANONICAL, *sets("eval.train=true"), ranks=ranks), f"{name} on {ranks}")
        equal(scores(run_dir), scores(path(f"graph-{name}-1")), f"{name}: scores on {ranks} ranks")
    row = scores(path(f"graph-{name}-1"))[-1]
    check(0 < float(row["train_loss"]) != float(row["valid_loss"]), f"{name}: {row}")
    good(train(cases[name], path(f"graph-{name}-plain"), *CANONICAL), f"{name} without")
    equal([r["valid_loss"] for r in scores(path(f"graph-{name}-plain"))],
          [r["valid_loss"] for r in scores(path(f"graph-{name}-1"))], f"{name}: the other curve")
one_line(train(cases["lightgcn"], path("x"), *sets("eval.train=true")), 78, "eval.train")
finish()
