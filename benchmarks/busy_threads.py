#!/usr/bin/env python3
"""Two threads of a rank beside other work: what waiting for each other costs.

    benchmarks/busy_threads.py [--steps 150] [--rounds 3] [--threads 2] [--program PATH] [--before PATH]

Trains a small decoder with one thread and with several, first as the machine is, then with one busy
process on each processor, in turn, and prints steps' times and two ratios:

    busy    speed of 1 rank x N threads to 1 x 1 beside the same processes   (at least 0.9 is wanted)
    idle    the same without them; with --before that of an older program, too

`idle` means something on an idle machine alone: the load is printed. The first second of each run is
left out, in which the size of the team is tried.
"""
import argparse
import csv
import os
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
CONFIG = """data: {path: %s}
model: {layers: 4, heads: 4, width: 128, context: 64}
batch: {size: 8}
eval: {every: 0}
checkpoint: {every: 0}
log: {every: 1}
"""
LEFT_OUT_S = 1.0


def train(program, folder, threads, steps):
    """Median seconds of a step."""
    run = os.path.join(folder, "run")
    subprocess.run(["rm", "-rf", run], check=True)
    environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
    subprocess.run([program, "train", os.path.join(folder, "small.yaml"), "--set",
                    f"train.steps={steps}", "--set", "run.dir=" + run],
                   env=environment, check=True, capture_output=True, timeout=1200)
    with open(os.path.join(run, "metrics.csv"), encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["step_s"]]
    begin_s = float(rows[0]["elapsed_s"])
    late = [float(r["step_s"]) for r in rows if float(r["elapsed_s"]) > begin_s + LEFT_OUT_S]
    if len(late) < 10:
        sys.exit(f"{len(late)} steps are left after the first second; give more --steps")
    return statistics.median(late)


class Busy:
    """One busy process on each processor that this one may use."""

    def __enter__(self):
        loop = [sys.executable, "-c", "while True: pass"]
        self.processes = []
        for cpu in sorted(os.sched_getaffinity(0)):
            self.processes.append(subprocess.Popen(
                loop, preexec_fn=lambda cpu=cpu: os.sched_setaffinity(0, {cpu})))

    def __exit__(self, *_):
        for process in self.processes:
            process.kill()
            process.wait()


def spread(values):
    return f"{min(values):.2f} / {statistics.median(values):.2f} / {max(values):.2f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--program", default=os.path.join(HERE, "../build/release/trireme"))
    parser.add_argument("--before", help="an older program, for the idle machine")
    args = parser.parse_args()
    load = os.getloadavg()[0]
    print(f"{len(os.sched_getaffinity(0))} processors, load before {load:.1f}; "
          "least / median / greatest of the rounds")
    with tempfile.TemporaryDirectory() as folder:
        data = os.path.join(folder, "tokens.h5")
        subprocess.run([args.program, "prepare", "synth", "-o", data, "--tokens", "200000", "--vocab",
                        "64"], check=True, capture_output=True)
        with open(os.path.join(folder, "small.yaml"), "w", encoding="utf-8") as file:
            file.write(CONFIG % data)
        times = {}
        for _ in range(args.rounds):
            programs = [("idle", args.program)] + ([("before", args.before)] if args.before else [])
            for name, program in programs:
                for threads in (1, args.threads):
                    times.setdefault((name, threads), []).append(
                        train(program, folder, threads, args.steps))
            with Busy():
                for threads in (1, args.threads):
                    times.setdefault(("busy", threads), []).append(
                        train(args.program, folder, threads, args.steps))
    for (name, threads), values in sorted(times.items()):
        print(f"{name:7s} 1 x {threads}  {spread([1e3 * v for v in values])} ms a step")
    for name in ("busy", "idle"):
        pairs = zip(times[name, 1], times[name, args.threads])
        print(f"{name}: 1 x {args.threads} has {spread([one / many for one, many in pairs])} "
              "times the speed of 1 x 1")
    if args.before:
        pairs = zip(times["before", args.threads], times["idle", args.threads])
        print(f"idle: 1 x {args.threads} has {spread([old / new for old, new in pairs])} "
              "times the speed of before")


main()
