#!/usr/bin/env python3
"""What the watch costs: heartbeats, their thread, and the signs of life of the working thread.

    python3 benchmarks/watch_cost.py [--ranks 2] [--pairs 10] [--steps 200]

Trains the small model of compare_peer.py with comm.deadline_s 60 (the watch runs) and 0 (it does not), in
turn, and takes the ratio of the step times within each pair: least, median and greatest are printed. Of a
run the median step counts, without the first ones. On a machine with other work the ratios scatter by
more than the watch can cost, so two figures that do not depend on that are measured too:

    processor time of the watch's threads, as a share of one processor's, from /proc
    a sign of life of the working thread, in ns (bench_watch), and how many there are in a step

Both times need `cmake --build build/release --target benchmarks`. Standard library only.
"""
import argparse
import csv
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from compare_peer import CONFIG, ROOT, SIZES

WARMUP = 10


def stop(message):
    sys.exit(f"watch_cost: {message}")


def environment():
    env = dict(os.environ, OMP_NUM_THREADS="1", OMPI_ALLOW_RUN_AS_ROOT="1",
               OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    return env


def launcher(ranks):
    cores = len(os.sched_getaffinity(0))
    binding = ["--bind-to", "core"] if ranks <= cores else ["--oversubscribe", "--bind-to", "none"]
    return ["mpirun", "-q", *binding, "-n", str(ranks)]


def watch_ns(run):
    """Processor time of the watch's threads of the ranks that train in `run`, in ns."""
    spent_ns = 0
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
            if not words[0].endswith(b"/trireme") or f"run.dir={run}".encode() not in words:
                continue
            for task in (path.parent / "task").iterdir():
                if (task / "comm").read_text().strip() == "trireme-watch":
                    spent_ns += int((task / "schedstat").read_text().split()[0])
        except OSError:
            pass
    return spent_ns


def train(program, config, run, deadline_s, ranks):
    """Median step in seconds; share of a processor that the watches took."""
    words = [*launcher(ranks), str(program), "train", str(config), "--set", f"run.dir={run}", "--set",
             f"comm.deadline_s={deadline_s}"]
    began = time.monotonic()
    process = subprocess.Popen(words, env=environment(), stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    spent_ns = 0
    while process.poll() is None:
        spent_ns = max(spent_ns, watch_ns(run))
        time.sleep(0.25)
    took_s = time.monotonic() - began
    if process.returncode != 0:
        stop(f"training failed: {process.stderr.read().decode()}")
    with open(run / "metrics.csv") as file:
        steps = [float(row["step_s"]) for row in csv.DictReader(file) if row["step_s"]]
    return statistics.median(steps[WARMUP:]), 1e-9 * spent_ns / took_s / ranks


def show(name, values, unit=""):
    print(f"{name}: {min(values):.4g} / {statistics.median(values):.4g} / {max(values):.4g}{unit}")


def sign_of_life():
    """Nanoseconds of one, with a watch running."""
    bench = ROOT / "build/release/benchmarks/bench_watch"
    if not bench.exists():
        return None
    done = subprocess.run([*launcher(2), str(bench)], env=environment(), capture_output=True, text=True)
    found = re.search(r"sign of life: ([0-9.]+) ns", done.stdout)
    return float(found.group(1)) if found else None


def setting(program, folder, size, ranks, batch, steps):
    """Configuration of a model of compare_peer.py on synthetic tokens, with `batch` sequences a rank; its shape."""
    shape = dict(SIZES[size], tied="false", steps=steps, batch=batch * ranks)
    data, config = folder / "data.h5", folder / f"{size}.yaml"
    subprocess.run([program, "prepare", "synth", "--tokens", "200000", "--vocab", str(shape["vocab"]),
                    "-o", data], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    config.write_text(CONFIG.format(data=data, run=folder / "run", blocks=4 * ranks, **shape))
    return config, shape


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/release/trireme")
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--steps", type=int, default=200)
    o = parser.parse_args()
    if not o.program.exists():
        stop(f"no {o.program}; build it, or give --program")
    with tempfile.TemporaryDirectory(prefix="watch-cost-") as folder:
        folder = pathlib.Path(folder)
        config, shape = setting(o.program, folder, "small", o.ranks, SIZES["small"]["batch"], o.steps)
        ratios, shares, steps = [], [], []
        for pair in range(o.pairs):
            times = {}
            for deadline_s in (60, 0) if pair % 2 else (0, 60):
                run = folder / f"{pair}-{deadline_s}"
                times[deadline_s], share = train(o.program, config, run, deadline_s, o.ranks)
                if deadline_s:
                    shares.append(share)
            steps.append(times[60])
            ratios.append(times[60] / times[0])
            print(f"pair {pair + 1}: {1e3 * times[60]:.2f} ms with, {1e3 * times[0]:.2f} ms without",
                  file=sys.stderr)
    show("step time with the watch to that without", ratios)
    show("processor time of a watch's thread", [100 * share for share in shares],
         " % of a processor")
    ns = sign_of_life()
    if ns:
        # Each block enters a phase, and each operator on the way back is a sign; waits are few.
        signs = 4 * (1 + 20 * shape["layers"])
        print(f"a sign of life: {ns:.0f} ns; some {signs} a step: "
              f"{100 * ns * 1e-9 * signs / statistics.median(steps):.3f} % of it")


if __name__ == "__main__":
    main()
