#!/usr/bin/env python3
"""TPE and ASHA against random search: six parameters of a network on small digits (optdigits), 60 trials each.

usage: benchmarks/tune_search.py --data optdigits.h5 [--seeds 20] [--work FOLDER] [--trireme PROGRAM]

The data set: trireme prepare images --pixels optdigits.tra --test optdigits.tes --size 8x8 (data/README.md).
Prints, over the seeds: the median of the best validation loss of random search after its 60 trials; how many
trials TPE needs to come to it; how many passes over the data (epochs) ASHA needs, beside those of random search.
A search that is there already is not repeated, so that a run that was stopped goes on.
"""
import argparse
import csv
import os
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
EPOCHS, TRIALS = 5, 60
WAYS = {"random": ("random", "none"), "tpe": ("tpe", "none"), "asha": ("random", "asha"),
        "tpe+asha": ("tpe", "asha")}


def search(options, way, seed):
    """Rows of the journal of one search."""
    folder = os.path.join(options.work, f"{way}-{seed}")
    space = os.path.join(options.work, f"{way}-{seed}.yaml")
    method, prune = WAYS[way]
    with open(os.path.join(HERE, "tune", "space.yaml")) as file:
        text = file.read().replace("METHOD", method).replace("SEED", str(seed)).replace("PRUNE", prune)
    with open(space, "w") as file:
        file.write(text.replace("optdigits.yaml", os.path.join(HERE, "tune", "optdigits.yaml")))
    if not os.path.exists(os.path.join(folder, "trials.csv")):
        done = subprocess.run([options.trireme, "tune", space, "-t", "1", "-o", folder, "--resume", "--set",
                               f"data.path={options.data}"], stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            sys.exit(f"{way}, seed {seed}: exit code {done.returncode}\n{done.stderr[-2000:]}")
    with open(os.path.join(folder, "journal.csv"), newline="") as file:
        next(file)
        return list(csv.DictReader(file))


def course(rows, way):
    """[(trials begun, epochs trained, best loss of full length)] after each job."""
    lengths = [EPOCHS * 4.0 ** -k for k in (2, 1, 0)] if "asha" in way else [EPOCHS]
    best, epochs, trials, points = float("inf"), 0.0, 0, []
    for row in rows:
        rung = int(row["rung"])
        trials += rung == 0
        epochs += lengths[rung] - (lengths[rung - 1] if rung else 0)
        whole = rung == len(lengths) - 1 and row["outcome"] == "done"
        if whole and row["score"]:
            best = min(best, float(row["score"]))
        points.append((trials, epochs, best))
    return points


def first(points, wanted, what):
    """Trials (0) or epochs (1) until the best is as good as wanted; infinite: never."""
    return next((point[what] for point in points if point[2] <= wanted), float("inf"))


def say(values):
    finite = sorted(values)
    low, middle, high = (finite[int(q * (len(finite) - 1))] for q in (0.1, 0.5, 0.9))
    return f"median {statistics.median(values):.4g}, 10 to 90 %: {low:.4g} to {high:.4g} ({middle:.4g})"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--work", default="tune-benchmark")
    parser.add_argument("--trireme", default="trireme")
    options = parser.parse_args()
    options.data = os.path.abspath(options.data)
    os.makedirs(options.work, exist_ok=True)
    courses = {way: [] for way in WAYS}
    for seed in range(1, options.seeds + 1):
        for way in WAYS:
            courses[way].append(course(search(options, way, seed), way))
        print(f"seed {seed}: " + ", ".join(f"{way} {courses[way][-1][-1][2]:.4f} ({courses[way][-1][-1][1]:.0f} "
                                           "epochs)" for way in WAYS), flush=True)
    wanted = statistics.median(points[-1][2] for points in courses["random"])
    print(f"random search, best loss after {TRIALS} trials ({EPOCHS * TRIALS} epochs): "
          + say([points[-1][2] for points in courses["random"]]))
    for way in WAYS:
        print(f"{way}: best at the end {say([points[-1][2] for points in courses[way]])}")
        print(f"{way}: trials to {wanted:.4f}: {say([first(p, wanted, 0) for p in courses[way]])}")
        print(f"{way}: epochs to {wanted:.4f}: {say([first(p, wanted, 1) for p in courses[way]])}")


main()
