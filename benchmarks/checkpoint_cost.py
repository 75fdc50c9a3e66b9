#!/usr/bin/env python3
"""What checkpoints cost: the same training with one every so many steps and with none, in pairs.

    python3 benchmarks/checkpoint_cost.py [--ranks 2] [--pairs 5] [--every 20] [--batch 4] [--folder .]

Trains compare_peer.py's medium model (10.8 million parameters: a file of 130 MB). The time from the tenth
step to the last is taken, so everything counts that holds training up in between: the copy, and what the
writer takes from the ranks' processors. The first checkpoint also takes memory from the system, for its
copy and for the file, so the time after it is told besides. The ratio is taken within each pair; least,
median and greatest are printed. Where other work makes pairs differ by more than checkpoints cost, many of
them (--every 2) show what one costs. --batch is sequences a rank; with more of them a step takes longer.
--folder has the disk that is written to. Standard library only.
"""
import argparse
import csv
import pathlib
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from compare_peer import ROOT, SIZES
from watch_cost import environment, launcher, setting, show

WARMUP = 10


def stop(message):
    sys.exit(f"checkpoint_cost: {message}")


def train(program, config, run, every, first, ranks):
    """Seconds a step from step WARMUP to the last one, and from step `first` on."""
    words = [*launcher(ranks), str(program), "train", str(config), "--set", f"run.dir={run}", "--set",
             f"checkpoint.every={every}"]
    done = subprocess.run(words, env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        stop(f"training failed: {done.stderr}")
    with open(run / "metrics.csv") as file:
        at = {int(row["step"]): float(row["elapsed_s"]) for row in csv.DictReader(file) if row["step_s"]}
    last = max(at)
    return [(at[last] - at[step]) / (last - step) for step in (WARMUP, first)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/release/trireme")
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--every", type=int, default=20)
    parser.add_argument("--batch", type=int, default=SIZES["medium"]["batch"])
    parser.add_argument("--steps", type=int, default=210)
    parser.add_argument("--folder", default=".")
    o = parser.parse_args()
    if not o.program.exists():
        stop(f"no {o.program}; build it, or give --program")
    first = o.every + WARMUP
    if o.every < 1 or o.steps <= first:
        stop(f"--steps {o.steps}: more than --every and {WARMUP} are needed")
    with tempfile.TemporaryDirectory(prefix="checkpoint-cost-", dir=o.folder) as folder:
        folder = pathlib.Path(folder).resolve()
        config, _ = setting(o.program, folder, "medium", o.ranks, o.batch, o.steps)
        ratios, later, costs_ms = [], [], []
        for pair in range(o.pairs):
            times = {}
            for every in (o.every, 0) if pair % 2 else (0, o.every):
                times[every] = train(o.program, config, folder / f"{pair}-{every}", every, first, o.ranks)
            ratios.append(times[o.every][0] / times[0][0])
            later.append(times[o.every][1] / times[0][1])
            costs_ms.append(1e3 * o.every * (times[o.every][1] - times[0][1]))
            print(f"pair {pair + 1}: {1e3 * times[o.every][0]:.1f} ms a step with, "
                  f"{1e3 * times[0][0]:.1f} ms without; after the first {1e3 * times[o.every][1]:.1f} and "
                  f"{1e3 * times[0][1]:.1f} ms", file=sys.stderr)
    show(f"time with a checkpoint every {o.every} steps to that without", ratios)
    show("the same after the first checkpoint", later)
    show("a checkpoint after the first costs", costs_ms, " ms")


if __name__ == "__main__":
    main()
