"""`trireme average`: the mean of checkpoints against numpy, which ones are taken, who is refused; the best
checkpoints that a run keeps."""
import math
import os
import re

from harness import *

try:
    import h5py
    import numpy as np
except ImportError:
    h5py = None

folder = temp_folder()
config = small_setup(folder)


def path(name):
    return os.path.join(folder, name)


def sets(text):
    return [word for item in text.split() for word in ("--set", item)]


def loss_of(what, *more):
    result = run("evaluate", what, *more)
    good(result, f"evaluate {what}")
    return float(re.search(r"loss (\S+)", result.out).group(1))


def average(*words):
    result = run("average", *words)
    good(result, f"average {words}")
    return result.out


def check_mean(output, files, group="model"):
    """Against double precision in numpy, where there is h5py."""
    if not h5py:
        return
    arrays = []
    for file in files:
        with h5py.File(file) as opened:
            found = {}
            opened[group].visititems(lambda name, item: found.update({name: item[()].astype(np.float64)})
                                     if isinstance(item, h5py.Dataset) else None)
            arrays.append(found)
    with h5py.File(output) as opened:
        check("optimizer" not in opened, f"{output}: no state of an optimizer")
        for name in arrays[0]:
            want = sum(a[name] for a in arrays[1:]) + arrays[0][name]
            equal(bool(np.array_equal(opened["model"][name][()], (want / len(files)).astype(np.float32))), True,
                  f"mean of {name}")


base = path("run")
good(train(config, base, *sets("checkpoint.every=2 checkpoint.keep=6 eval.every=3 checkpoint.keep_best=3 train.steps=24 "
                               "optimizer.lr=0.03 schedule.name=constant log.tensorboard=false")), "a run")
inside = os.path.join(base, "checkpoints")


def step(n):
    return os.path.join(inside, f"step_{n:08d}.h5")


# ---- which files are kept: the newest 6, and the best 3 of the evaluations
values = valid_losses(base)
best = sorted(sorted(values, key=lambda n: values[n])[:3])
kept = {int(name[5:13]) for name in checkpoints(base)}
check(set(best) <= kept, f"the best {best} are kept: {kept}")
newest = sorted(kept)[-6:]
equal(kept, set(newest) | set(best), "nothing else is kept")

# ---- the mean
said = average(base, "--last", 3, "-o", path("last.h5"))
check("mean of 3 checkpoints, the newest of step 24" in said, said)
check_mean(path("last.h5"), [step(n) for n in newest[-3:]])
average(base, "--best", 3, "-o", path("best.h5"))
check_mean(path("best.h5"), [step(n) for n in best])
average(step(newest[-1]), step(newest[0]), "-o", path("two.h5"))
check_mean(path("two.h5"), [step(newest[-1]), step(newest[0])])
average(step(24), step(24), step(24), step(24), "-o", path("same.h5"))
equal(loss_of(path("same.h5")), loss_of(step(24)), "the mean of one with itself is that one")
check(loss_of(path("last.h5")) != loss_of(step(24)), "and of several it is not")
check("averaged      3 checkpoints" in run("inspect", path("last.h5")).out, "inspect says so")
check("every array matches" in run("inspect", path("last.h5")).out, "and checks it")
good(run("generate", path("best.h5"), "-n", 5, "--prompt", ""), "generate from a mean")

# ---- of averages, what evaluations look at
ema = path("ema")
good(train(config, ema, *sets("average.kind=ema average.decay=0.5 checkpoint.every=5 checkpoint.keep=4 train.steps=20")), "ema")
files = [os.path.join(ema, "checkpoints", name) for name in checkpoints(ema)[-2:]]
average(ema, "--last", 2, "-o", path("ema.h5"))
check_mean(path("ema.h5"), files, "average")
average(ema, "--last", 2, "--raw", "-o", path("raw.h5"))
check_mean(path("raw.h5"), files)
check(loss_of(path("ema.h5")) != loss_of(path("raw.h5")), "they differ")

# ---- refused
other = path("other")
good(train(config, other, *sets("model.width=16 train.steps=2 eval.every=0")), "another model")
one_line(run("average", base, other, "-o", path("x.h5")), 65, "different models", "model.width")
one_line(run("average", base, "--last", 50, "-o", path("x.h5")), 65, "checkpoint.keep")
one_line(run("average", base, "--best", 5, "-o", path("x.h5")), 65, "checkpoint.keep_best")
one_line(run("average", base, "-o", path("x.h5")), 64, "--last N")
one_line(run("average", base, "--last", 2), 64, "-o CHECKPOINT.h5")
one_line(run("average", base, other, "--last", 2, "-o", path("x.h5")), 64, "one run")
one_line(run("average", step(24), path("data.h5"), "-o", path("x.h5")), 65, "data.h5")
check(not os.path.exists(path("x.h5")), "nothing is left")
one_line(train(config, path("on"), f"--resume={path('last.h5')}"), 78, "mean of weights")

# ---- the list of the best goes on after a resume
cut = path("cut")
more = sets("checkpoint.every=2 checkpoint.keep=2 eval.every=3 checkpoint.keep_best=3 optimizer.lr=0.03 schedule.name=constant")
good(train(config, cut, *more, *sets("train.steps=11 eval.at_end=false")), "to 11")
good(train(config, cut, *more, *sets("train.steps=24"), "--resume", ranks=2), "to 24")
values = valid_losses(cut)
best = sorted(sorted(values, key=lambda n: values[n])[:3])
average(cut, "--best", 3, "-o", path("cut.h5"))
check_mean(path("cut.h5"), [os.path.join(cut, "checkpoints", f"step_{n:08d}.h5") for n in best])
finish()
