#!/usr/bin/env python3
"""Times Trireme on graphs against PyTorch and PyTorch Geometric, in pairs of runs side by side.

    python3 benchmarks/compare_graph_peer.py --python VENV/bin/python --data FOLDER [--pairs 5]

FOLDER holds data sets made by `trireme prepare` (graphs/*.yaml say how): cora.h5, coauthor-cs.h5,
debian-graph.h5, gowalla.h5; what is not there is left out. Both sides train in float32 on 2 cores and
read the same files: full-batch GCN on Cora and Coauthor CS, GraphSAGE on sampled neighbours (Coauthor
CS with most of its nodes for training, and the Debian packages), LightGCN on Gowalla. Steps before
--warmup are not counted, and only steps are timed: no evaluation, no checkpoint.

First the peer (graph_peer.py) tries its ways of doing the work and the fastest is kept. Then runs
alternate (ours, peer, ours, peer, ...), so that what else the machine does falls on both; the ratio of
the rates is taken within each pair, and its least, median and greatest are printed. Ours runs as 1 rank
x 2 threads and as 2 ranks x 1 thread. The machine should be idle: with other work on it the peer's two
threads wait for each other and lose many times more than ours.
"""

import argparse
import csv
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

from compare_peer import ROOT, describe_machine, spread

QUIET = ["eval.every=0", "eval.at_end=false", "checkpoint.every=0", "log.every=1",
         "train.epochs=0", "train.patience=0"]
# rate: what a step does, in units of `unit`
CASES = {
    "gcn-cora": dict(data="cora", config="cora_gcn", task="gcn", peer=["--hidden", "16"],
                     steps=200, unit="steps"),
    "gcn-coauthor": dict(data="coauthor-cs", config="coauthor_gcn", task="gcn", peer=["--hidden", "64"],
                         steps=40, unit="steps"),
    "sage-coauthor": dict(data="coauthor-wide", config="debian_sage", task="sage", peer=["--hidden", "128"],
                          set=["model.width=128", "sampler.fanout=10,10", "batch.size=512"],
                          steps=60, unit="seeds", factor=512),
    "sage-debian": dict(data="debian-graph", config="debian_sage", task="sage", peer=["--hidden", "128"],
                        set=["model.width=128", "sampler.fanout=10,10", "batch.size=512"],
                        steps=100, unit="seeds", factor=512),
    "lightgcn-gowalla": dict(data="gowalla", config="gowalla_lightgcn", task="lightgcn", peer=[],
                             steps=20, unit="interactions", factor=2048),
}


def stop(message):
    sys.exit(f"compare_graph_peer: {message}")


def run(command, environment=None):
    done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        stop(f"{command[0]} ended with {done.returncode}:\n{done.stdout[-1000:]}{done.stderr[-3000:]}")
    return done.stdout


def steps_of(args, case):
    return max(3, int(CASES[case]["steps"] * args.scale))


def run_ours(args, folder, case, ranks, threads, name):
    c, out = CASES[case], folder / name
    n_steps = args.warmup + steps_of(args, case)
    command = [ROOT / "launch/run", "-n", str(ranks), "-t", str(threads), "-b", args.bind, "--", "train",
               ROOT / f"benchmarks/graphs/{c['config']}.yaml"]
    for setting in [f"data.path={data_path(args, folder, case)}", f"run.dir={out}", f"train.steps={n_steps}",
                    *QUIET, *c.get("set", []), *args.set]:
        command += ["--set", setting]
    run(command, dict(os.environ, TRIREME=str(args.trireme)))
    with open(out / "metrics.csv") as file:
        rows = [row for row in csv.DictReader(file) if row["loss"]]
    if len(rows) != n_steps:
        stop(f"{out}/metrics.csv has {len(rows)} steps, expected {n_steps}")
    step_s = statistics.median(float(row["step_s"]) for row in rows[args.warmup:])
    return {"step_s": step_s, "rate": c.get("factor", 1) / step_s, "loss": float(rows[0]["loss"]),
            "memory_mb": ranks * float(rows[-1]["peak_rss_mb"])}  # of rank 0, times ranks


def run_peer(args, folder, case, variant, threads, steps):
    c = CASES[case]
    command = [args.python, ROOT / "benchmarks/graph_peer.py", c["task"], data_path(args, folder, case),
               "--steps", str(steps), "--warmup", str(args.warmup), "--threads", str(threads), "--variant", variant,
               *c["peer"]]
    result = json.loads(run(command).splitlines()[-1])
    step_s = result["step_s"]["median"]
    return result | {"median_s": step_s, "rate": c.get("factor", 1) / step_s, "memory_mb": result["peak_rss_mb"]}


def data_path(args, folder, case):
    name = CASES[case]["data"]
    return folder / f"{name}.h5" if name == "coauthor-wide" else args.data / f"{name}.h5"


def have_data(args, folder, case):
    """Whether the data set is there; makes the one that is made from another."""
    path = data_path(args, folder, case)
    if not path.exists() and CASES[case]["data"] == "coauthor-wide":
        source = args.data / "coauthor-cs.h5"
        if source.exists():
            run([args.python, ROOT / "benchmarks/graph_peer.py", "widen", source, path])
    if path.exists():
        return True
    print(f"\n{case}: left out, there is no {path.name} in {args.data}")
    return False


def compare(args, folder, case):
    """All runs of a case; prints rates and ratios."""
    tried = run_peer(args, folder, case, "all", 2, max(3, steps_of(args, case) // 4))
    layouts = {"1 rank x 2": (1, 2), "2 ranks x 1": (2, 1)}
    runs = {name: [] for name in [*layouts, "peer"]}
    for pair in range(args.pairs):
        for k, (name, (ranks, threads)) in enumerate(layouts.items()):
            runs[name].append(run_ours(args, folder, case, ranks, threads, f"{case}-{pair}-{k}"))
        runs["peer"].append(run_peer(args, folder, case, tried["variant"], tried["threads"],
                                     steps_of(args, case)))
    unit = CASES[case]["unit"]
    print(f"\n{case}: {unit}/s and ratios ours / peer, each least / median / greatest of {args.pairs}")
    for variant, seconds in sorted(tried["tried_s"].items(), key=lambda item: item[1]):
        print(f"    peer's {variant}: {1e3 * seconds:.2f} ms a step")
    peer = runs["peer"]
    print(f"  peer         {spread([r['rate'] for r in peer], '{:,.1f}')} {unit}/s, "
          f"{statistics.median(r['memory_mb'] for r in peer):,.0f} MB")
    for name in layouts:
        ours = runs[name]
        ratios = [a["rate"] / b["rate"] for a, b in zip(ours, peer)]
        print(f"  {name:12} {spread([r['rate'] for r in ours], '{:,.1f}')} {unit}/s, "
              f"{statistics.median(r['memory_mb'] for r in ours):,.0f} MB; ratio {spread(ratios)}")
    sys.stdout.flush()
    return {"tried": tried, "runs": runs}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", default=sys.executable, help="interpreter with PyTorch and PyTorch Geometric")
    parser.add_argument("--trireme", default=ROOT / "build/release/trireme", type=pathlib.Path)
    parser.add_argument("--data", required=True, type=pathlib.Path, help="folder of data sets")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--cases", default=",".join(CASES))
    parser.add_argument("--scale", type=float, default=1, help="of the number of timed steps")
    parser.add_argument("--warmup", type=int, default=10, help="steps before them")
    parser.add_argument("--bind", default="core", help="launch/run -b")
    parser.add_argument("--set", action="append", default=[], help="a key of ours")
    parser.add_argument("--json", type=pathlib.Path, help="file for the numbers of every run")
    args = parser.parse_args()
    args.trireme, args.data = args.trireme.resolve(), args.data.resolve()
    args.cases = args.cases.split(",")
    if not args.trireme.exists():
        stop(f"{args.trireme}: no such program; build it, or give --trireme")
    if unknown := [case for case in args.cases if case not in CASES]:
        stop(f"there is no case {unknown[0]}; the cases are {', '.join(CASES)}")
    if len(os.sched_getaffinity(0)) < 2:
        stop("both sides need two processors")
    return args


def main():
    args = parse_arguments()
    print(describe_machine(args))
    record = {}
    with tempfile.TemporaryDirectory(prefix="compare-graph-peer-") as folder:
        folder = pathlib.Path(folder)
        for case in args.cases:
            if have_data(args, folder, case):
                record[case] = compare(args, folder, case)
    if args.json:
        args.json.write_text(json.dumps({"machine": describe_machine(args), "cases": record}, indent=1))


if __name__ == "__main__":
    main()
