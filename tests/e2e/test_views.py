"""Evaluations and predictions over several draws of each sample: `eval.augment` and `eval.views`."""
import math
import os
import random
import re

from harness import *

folder = temp_folder()
SIDE, SAMPLES, TRAINED = 6, 60, 40


def path(name):
    return os.path.join(folder, name)


def images(name, mirrored):
    """A CSV of pixels: two classes, brighter on the left or on the right."""
    r = random.Random(3)
    with open(path(name + ".csv"), "w") as train, open(path(name + "-valid.csv"), "w") as valid:
        for i in range(SAMPLES):
            rows = [[min(255, r.randrange(120) + (90 if (x < SIDE // 2) == (i % 2 == 0) else 0)) for x in range(SIDE)]
                    for _ in range(SIDE)]
            pixels = [p for row in rows for p in (row[::-1] if mirrored else row)]
            (train if i < TRAINED else valid).write(",".join(map(str, [i % 2, *pixels])) + "\n")
    good(run("prepare", "images", "--pixels", path(name + ".csv"), "--valid", path(name + "-valid.csv"), "--size",
             f"{SIDE}x{SIDE}", "-o", path(name + ".h5")), f"prepare {name}")
    return path(name + ".h5")


plain, mirrored = images("plain", False), images("mirrored", True)
setup = path("setup.yaml")
with open(setup, "w") as file:
    file.write(f"data: {{ path: {plain} }}\nmodel: {{ kind: cnn, channels: '4', widths: none, readout: flatten }}\n"
               "batch: { size: 12, blocks: 4 }\ntrain: { steps: 12 }\noptimizer: { lr: 0.02 }\neval: { every: 12 }\n")
trained = path("trained")
good(train(setup, trained), "train")


def odds(name, *more, ranks=1):
    """Logarithm of p / (1 - p) of class 1 for each sample."""
    file = path(name + ".tsv")
    good(run("predict", trained, "-o", file, "--force", *more, ranks=ranks), f"predict {more}")
    with open(file) as text:
        rows = [line.rstrip("\n").split("\t") for line in text][1:]
    p = [float(row[2]) if row[1] == "1" else 1 - float(row[2]) for row in rows]
    return [math.log(x / (1 - x)) for x in p]


BOTH = ("--set", "eval.augment=flip_alternate", "--set", "eval.views=2")
straight, turned = odds("straight"), odds("turned", "--data", mirrored)
both = odds("both", *BOTH)
check(max(abs(a - b) for a, b in zip(straight, turned)) > 0.1, "mirror images are others to the model")
for i, (a, b, mean) in enumerate(zip(straight, turned, both)):
    check(abs(mean - (a + b) / 2) < 2e-4 * (1 + abs(a) + abs(b)), f"sample {i}: {mean}, of {a} and {b}")
for ranks in (2, 3, 4):
    equal(odds(f"both-{ranks}", *BOTH, ranks=ranks), both, f"predictions on {ranks} ranks")


def loss(*more, ranks=1):
    result = run("evaluate", trained, *more, ranks=ranks)
    good(result, f"evaluate {more}")
    return float(re.search(r"loss ([0-9.]+)", result.out)[1])


def loss_of(log_odds):
    """Mean cross-entropy of the samples to validate, the last ones, in turn of class 0 and 1."""
    of_valid = list(enumerate(log_odds))[TRAINED:]
    return sum(math.log1p(math.exp(-x if i % 2 else x)) for i, x in of_valid) / len(of_valid)


check(loss() != loss(*BOTH), "views change the loss")
for said, log_odds in ((loss(), straight), (loss(*BOTH), [(a + b) / 2 for a, b in zip(straight, turned)])):
    check(abs(said - loss_of(log_odds)) < 1e-5, f"loss {said}, of the predictions {loss_of(log_odds)}")
equal(loss(*BOTH, ranks=3), loss(*BOTH), "the loss on 3 ranks")
check(loss("--set", "eval.augment=noise 0.5") != loss(), "one draw is not the sample itself")

# ---- in a run: the last evaluation is what `evaluate` says later, and training is not touched
watched = path("watched")
good(train(setup, watched, *BOTH), "train with views")
last = [line for line in open(os.path.join(watched, "metrics.csv"))]
column = last[0].rstrip("\n").split(",").index("valid_loss")
check(abs(float(last[-1].split(",")[column]) - loss(*BOTH)) < 1e-6, f"loss in metrics.csv: {last[-1]}")


def refused(part, *sets):
    result = run("evaluate", trained, *[word for one in sets for word in ("--set", one)])
    equal(result.code, 78, f"{sets}: {result.err}")
    equal(len(result.lines()), 1, f"one line for {sets}: {result.err}")
    check(part in result.err, f"{sets} says {part!r}: {result.err}")


refused("set eval.augment, or eval.views to 1", "eval.views=4")
refused("eval.augment: 'flop': there is no 'flop'; did you mean 'flip'?", "eval.augment=flop")
refused("leave mixup out", "eval.augment=mixup 0.2")
