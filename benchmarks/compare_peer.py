#!/usr/bin/env python3
"""Times Trireme against PyTorch DistributedDataParallel + gloo, in pairs of runs side by side.

    python3 benchmarks/compare_peer.py --python VENV/bin/python [--pairs 5] [--sizes small,medium]

Both train the same model in float32 on synthetic tokens on 2 ranks of 1 thread, each rank bound to a
core of its own; steps before --warmup are not counted. Runs alternate (ours, peer, ours, peer, ...),
so that what else the machine does falls on both; the ratio is taken within each pair and its least,
median and greatest are printed. Then ours on 1 rank against ours on 2, alternating in the same way,
with as many sequences a rank.

Needs an interpreter with `pip install torch h5py numpy` for the peer (benchmarks/peer/ddp_gpt.py);
this script itself needs only the standard library. --json writes every run's numbers.
"""

import argparse
import csv
import json
import os
import pathlib
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
VOCAB = 65
SIZES = {  # batch: sequences a rank
    "small": dict(layers=4, heads=4, width=128, context=64, batch=12),
    "medium": dict(layers=6, heads=6, width=384, context=256, batch=4),
}
CONFIG = """\
data: {{ path: {data} }}
run: {{ dir: {run} }}
model: {{ layers: {layers}, heads: {heads}, width: {width}, context: {context}, dropout: 0, tied: false }}
batch: {{ size: {global_batch} }}
train: {{ steps: {steps} }}
optimizer: {{ name: adamw, lr: 1e-3, beta1: 0.9, beta2: 0.99, weight_decay: 0.1, clip_norm: 1.0 }}
schedule: {{ name: constant, warmup_steps: 0 }}
eval: {{ every: 0, at_end: false }}
checkpoint: {{ every: 0, initial: false }}
log: {{ every: 1, tensorboard: false }}
"""


def stop(message):
    sys.exit(f"compare_peer: {message}")


def wait_for_first_row(path, process, started):
    """Seconds from `started` until the row of step 1 stands in metrics.csv, which is flushed row by
    row; looked for every 5 ms."""
    while process.poll() is None:
        try:
            if path.read_bytes().count(b"\n") >= 2:
                return time.perf_counter() - started
        except FileNotFoundError:
            pass
        time.sleep(0.005)
    return time.perf_counter() - started


def run_ours(args, folder, size, ranks, name):
    shape = SIZES[size]
    run, config = folder / name, folder / f"{name}.yaml"
    n_steps = args.warmup + args.steps[size]
    config.write_text(CONFIG.format(data=folder / "tokens.h5", run=run, steps=n_steps,
                                    global_batch=ranks * shape["batch"], **shape))
    command = [ROOT / "launch/run", "-n", str(ranks), "-t", "1", "-b", "core", "--", "train", config]
    for setting in args.set:
        command += ["--set", setting]
    environment = dict(os.environ, TRIREME=str(args.trireme))
    started = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    first_step_s = wait_for_first_row(run / "metrics.csv", process, started)
    _, errors = process.communicate()
    if process.returncode != 0:
        stop(f"trireme ended with {process.returncode}:\n{errors[-3000:]}")
    with open(run / "metrics.csv") as file:
        rows = [row for row in csv.DictReader(file) if row["loss"]]
    if len(rows) != n_steps:
        stop(f"{run}/metrics.csv has {len(rows)} steps, expected {n_steps}")
    timed = rows[args.warmup :]
    step_s = statistics.median(float(row["step_s"]) for row in timed)
    exposed_s = statistics.median(float(row["exposed_comm_s"]) for row in timed)
    return {
        "tokens_per_s": ranks * shape["batch"] * shape["context"] / step_s,
        "peak_rss_mb": float(rows[-1]["peak_rss_mb"]),  # of rank 0
        "first_step_s": first_step_s,
        "exposed_share": exposed_s / step_s,
        "first_loss": float(rows[0]["loss"]),
    }


def run_peer(args, size, ranks):
    shape = SIZES[size]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [args.python, ROOT / "benchmarks/peer/ddp_gpt.py", "--bind", "--vocab", str(VOCAB),
               "--steps", str(args.steps[size]), "--warmup", str(args.warmup), *args.peer_option]
    for key, value in shape.items():
        command += [f"--{key}", str(value)]
    processes = []
    for rank in range(ranks):
        environment = dict(os.environ, RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(ranks),
                           MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port), OMP_NUM_THREADS="1")
        processes.append(subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL,
                                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
    outputs = [process.communicate() for process in processes]
    for process, (_, errors) in zip(processes, outputs):
        if process.returncode != 0:
            stop(f"the peer ended with {process.returncode}:\n{errors[-3000:]}")
    return json.loads(outputs[0][0].splitlines()[-1])


def spread(values, form="{:.2f}"):
    values = sorted(values)
    return " / ".join(form.format(v) for v in (values[0], statistics.median(values), values[-1]))


def compare(title, a_name, a_runs, b_name, b_runs):
    """Prints medians, and the ratios a/b pair by pair as least / median / greatest."""
    print(f"\n{title}")
    for key, unit, form in (("tokens_per_s", "tokens/s", "{:,.0f}"),
                            ("peak_rss_mb", "MB a rank at its peak", "{:,.0f}"),
                            ("first_step_s", "s from launch to the end of step 1", "{:.2f}")):
        a, b = ([run[key] for run in runs] for runs in (a_runs, b_runs))
        print(f"  {unit}")
        print(f"    {a_name:8} {spread(a, form)}")
        print(f"    {b_name:8} {spread(b, form)}")
        print(f"    ratio    {spread([x / y for x, y in zip(a, b)], '{:.3f}')}")


def describe_machine(args):
    model = "unknown processor"
    with open("/proc/cpuinfo") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    version = subprocess.run([args.trireme, "version"], capture_output=True, text=True).stdout.strip()
    cpus = len(os.sched_getaffinity(0))
    return (f"{time.strftime('%Y-%m-%d')}, {model}, {cpus} processors, load {os.getloadavg()[0]:.1f}, "
            f"Linux {platform.release()}, {version.splitlines()[0] if version else 'trireme ?'}")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", default=sys.executable, help="interpreter with PyTorch")
    parser.add_argument("--trireme", default=ROOT / "build/release/trireme", type=pathlib.Path)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--sizes", default="small,medium")
    parser.add_argument("--steps", default="small=200,medium=30", help="timed steps")
    parser.add_argument("--warmup", type=int, default=10, help="steps before them")
    parser.add_argument("--set", action="append", default=[], help="a key of ours, e.g. comm.progress=thread")
    parser.add_argument("--peer-option", action="append", default=[], help="e.g. --peer-option=--compile")
    parser.add_argument("--skip-peer", action="store_true", help="only ours on 2 ranks against 1")
    parser.add_argument("--skip-scaling", action="store_true", help="only ours against the peer")
    parser.add_argument("--json", type=pathlib.Path, help="file for the numbers of every run")
    args = parser.parse_args()
    args.trireme = args.trireme.resolve()
    args.sizes = args.sizes.split(",")
    args.steps = {key: int(n) for key, n in (part.split("=") for part in args.steps.split(","))}
    if not args.trireme.exists():
        stop(f"{args.trireme}: no such program; build it, or give --trireme")
    if unknown := [size for size in args.sizes if size not in SIZES]:
        stop(f"there is no size {unknown[0]}; the sizes are {', '.join(SIZES)}")
    if missing := [size for size in args.sizes if size not in args.steps]:
        stop(f"--steps says nothing about {missing[0]}; give e.g. --steps small=200,medium=30")
    if len(os.sched_getaffinity(0)) < 2:
        stop("two ranks need two processors")
    return args


def main():
    args = parse_arguments()
    print(describe_machine(args))
    record = {}
    with tempfile.TemporaryDirectory(prefix="compare-peer-") as folder:
        folder = pathlib.Path(folder)
        subprocess.run([args.trireme, "prepare", "synth", "--tokens", "1048576", "--vocab", str(VOCAB),
                        "--seed", "1", "-o", folder / "tokens.h5"], check=True, stderr=subprocess.DEVNULL)
        for size in args.sizes:
            ours, peer, two, one = [], [], [], []
            for pair in range(args.pairs):
                if not args.skip_peer:
                    ours.append(run_ours(args, folder, size, 2, f"{size}-{pair}"))
                    peer.append(run_peer(args, size, 2))
                if not args.skip_scaling:
                    two.append(run_ours(args, folder, size, 2, f"{size}-{pair}-two"))
                    one.append(run_ours(args, folder, size, 1, f"{size}-{pair}-one"))
            shape = ", ".join(f"{key} {value}" for key, value in SIZES[size].items())
            if ours:
                compare(f"{size} ({shape} a rank), 2 ranks x 1 thread: ours / peer, torch "
                        f"{peer[0]['torch']}; each least / median / greatest of {args.pairs}",
                        "ours", ours, "peer", peer)
            if two:
                compare(f"{size}, ours: 2 ranks / 1 rank", "2 ranks", two, "1 rank", one)
                share = [100 * run["exposed_share"] for run in two]
                print(f"  waiting for gradients on 2 ranks, % of a step: {spread(share, '{:.1f}')}")
            sys.stdout.flush()
            record[size] = {"ours": ours, "peer": peer, "two_ranks": two, "one_rank": one}
    if args.json:
        args.json.write_text(json.dumps({"machine": describe_machine(args), "runs": record}, indent=1))


if __name__ == "__main__":
    main()
