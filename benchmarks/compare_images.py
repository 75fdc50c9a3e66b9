#!/usr/bin/env python3
"""Times Trireme on images against PyTorch, in rounds of runs side by side.

    python3 benchmarks/compare_images.py --python VENV/bin/python --data FOLDER [--rounds 5] [--seconds 10]
    python3 benchmarks/compare_images.py --python VENV/bin/python --prepared FOLDER --only resnet-cifar

FOLDER (default: $TRIREME_DATA) holds mnist (the four IDX files) and cifar10 (its binary batches, or folders of
classes), of which `trireme prepare images` makes data sets; or --prepared names a folder with mnist.h5 and
cifar10.h5. Both sides read the same file. 2 ranks x 1 thread, float32, 128 images a step. Cases:

    mlp-mnist      784-128-128-10 with dropout 0.2, images moved by up to 2 pixels; Adam
    cnn-mnist      2 stages of 32 and 64 channels with batch norm, a dense layer of 128; the same images
    cnn-cifar      the same network on colours: pieces after 4 pixels of padding, half of them turned over
    resnet-cifar   ResNet-20 on those; gradient descent with Nesterov's momentum

A rate counts images that were trained on, augmentation included. The peer (peer/ddp_images.py) first tries
its ways of doing the work (channels last, how images are cut out, a process that does it ahead), and the
fastest is kept. Then runs alternate (ours, peer, ours, peer, ...), so that what else the machine does falls
on both; the ratio is taken within each round, and its least, median and greatest are printed. A run has as many
steps as take --seconds, after --warmup steps that do not count; only steps are timed: no evaluation, no
checkpoint. Memory is the sum over all processes of a side of what each had resident at its peak.
"""

import argparse
import contextlib
import csv
import json
import os
import pathlib
import shutil
import statistics
import sys
import tempfile
import threading

from compare_peer import ROOT, describe_machine, run_torch_ranks, spread
from compare_sequences import pairs_of, run, spoken

RANKS, THREADS, BATCH = 2, 1, 128
PEER = ROOT / "benchmarks/peer/ddp_images.py"
FLAT_WAYS = ("slices+bytes", "unfold+bytes", "slices+floats", "unfold+floats", "slices+floats+worker")
WAYS = ("slices+bytes", "unfold+bytes", "slices+bytes+last", "unfold+bytes+last", "slices+floats+last",
        "slices+bytes+last+worker")
ADAM = dict(name="adam", lr=1e-3, beta2=0.999, weight_decay=0, clip_norm=0)
SGD = dict(name="sgd", lr=0.05, momentum=0.9, nesterov="true", weight_decay=5e-4, clip_norm=0)
CNN = (dict(kind="cnn", channels="'32,64'", widths="128"), ["--model", "cnn", "--channels", "32,64", "--widths", "128"])
MOVED = ("shift 2", ["--crop", "2"])
CUT = ("crop 4, flip", ["--crop", "4", "--flip"])
# name: data set, ways, (model of ours, the peer's), (what is done to images, the peer's), optimizer
CASES = {
    "mlp-mnist": ("mnist", FLAT_WAYS, (dict(kind="mlp", widths="'128,128'", dropout=0.2),
                                       ["--model", "mlp", "--widths", "128,128", "--dropout", "0.2"]), MOVED, ADAM),
    "cnn-mnist": ("mnist", WAYS, CNN, MOVED, ADAM),
    "cnn-cifar": ("cifar10", WAYS, CNN, CUT, ADAM),
    "resnet-cifar": ("cifar10", WAYS, (dict(kind="resnet", blocks=3, width=16),
                                       ["--model", "resnet", "--blocks", "3", "--width", "16"]), CUT, SGD),
}
CONFIG = """\
data: {{ path: {data}, augment: '{augment}' }}
run: {{ dir: {run} }}
model: {{ {model} }}
batch: {{ size: {batch} }}
train: {{ steps: {steps} }}
optimizer: {{ {optimizer} }}
schedule: {{ name: constant, warmup_steps: 0 }}
eval: {{ every: 0, at_end: false }}
checkpoint: {{ every: 0, initial: false }}
log: {{ every: 1, tensorboard: false }}
"""


def stop(message):
    sys.exit(f"compare_images: {message}")


# ---- memory --------------------------------------------------------------------------------------


def processes():
    """{pid: (parent, name)} of all processes."""
    found = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{entry}/stat") as file:
                head, _, rest = file.read().rpartition(")")
                found[int(entry)] = int(rest.split()[1]), head.partition("(")[2]
    return found


class PeakMemory:
    """Megabytes of all processes that this one starts inside `with`, launchers left out: the sum of what each
    had resident at its peak, looked at ten times a second. Pages that processes share count for each."""

    LAUNCHERS = ("mpirun", "orterun", "prterun", "run", "bash")

    def __enter__(self):
        self.peaks, self.ended = {}, threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()

    def look(self):
        found = processes()
        mine = {os.getpid()}
        for pid in sorted(found):  # parents have lower numbers, but where numbers began anew
            if found[pid][0] in mine:
                mine.add(pid)
        for pid in mine - {os.getpid()}:
            if found[pid][1] in self.LAUNCHERS:
                continue
            with contextlib.suppress(OSError), open(f"/proc/{pid}/status") as file:
                for line in file:
                    if line.startswith("VmHWM:"):
                        self.peaks[pid] = int(line.split()[1]) * 1024 / 1e6

    def watch(self):
        while not self.ended.wait(0.1):
            self.look()

    def megabytes(self):
        return sum(self.peaks.values())


# ---- runs ----------------------------------------------------------------------------------------


def data_path(args, folder, name):
    """The prepared data set, made if it is not there."""
    if args.prepared and (args.prepared / f"{name}.h5").exists():
        return args.prepared / f"{name}.h5"
    path = folder / f"{name}.h5"
    if not path.exists():
        if not args.data or not (args.data / name).exists():
            stop(f"no data: give --data with a folder {name} in it, or --prepared with {name}.h5")
        run([args.trireme, "prepare", "images", args.data / name, "-o", path])
    return path


def run_ours(args, folder, case, steps):
    data, _, (model, _), (augment, _), optimizer = CASES[case]
    out, config = folder / "run", folder / "run.yaml"
    n_steps = args.warmup + steps
    config.write_text(CONFIG.format(
        data=data_path(args, folder, data), augment=augment, run=out, batch=BATCH, steps=n_steps,
        model=", ".join(pairs_of(model, ": ")), optimizer=", ".join(pairs_of(optimizer, ": "))))
    command = [ROOT / "launch/run", "-n", str(RANKS), "-t", str(THREADS), "-b", args.bind, "--", "train", config]
    for setting in args.set:
        command += ["--set", setting]
    with PeakMemory() as memory:
        run(command, dict(os.environ, TRIREME=str(args.trireme)))
    with open(out / "metrics.csv") as file:
        rows = [row for row in csv.DictReader(file) if row["loss"]]
    if len(rows) != n_steps:
        stop(f"{out}/metrics.csv has {len(rows)} steps, expected {n_steps}")
    shutil.rmtree(out)
    step_s = statistics.fmean(float(row["step_s"]) for row in rows[args.warmup:])
    return {"images_per_s": BATCH / step_s, "step_s": step_s, "peak_mb": memory.megabytes(),
            "first_loss": float(rows[0]["loss"]), "last_loss": float(rows[-1]["loss"])}


def run_peer(args, folder, case, way, steps):
    data, _, (_, model), (_, augment), optimizer = CASES[case]
    command = [args.python, PEER, data_path(args, folder, data), *model, *augment, "--way", way,
               "--batch", str(BATCH), "--steps", str(steps), "--warmup", str(args.warmup),
               "--optimizer", optimizer["name"], "--lr", str(optimizer["lr"]), "--threads", str(THREADS),
               *(["--bind"] if args.bind == "core" else []), *args.peer_option]
    with PeakMemory() as memory:
        result = run_torch_ranks(command, RANKS, THREADS)
    return result | {"peak_mb": memory.megabytes()}


def steps_in(args, step_s, share=1.0):
    """Of about --seconds."""
    return max(3, round(share * args.seconds / step_s))


def compare_case(args, folder, case):
    ways = args.ways or CASES[case][1]
    step_s = run_peer(args, folder, case, ways[0], 3)["step_s"]
    tried = {way: run_peer(args, folder, case, way, steps_in(args, step_s, 0.25)) for way in ways}
    best = max(tried, key=lambda way: tried[way]["images_per_s"])
    peer_steps = steps_in(args, tried[best]["step_s"])
    our_steps = 0 if args.skip_ours else steps_in(args, run_ours(args, folder, case, 3)["step_s"])
    ours, peer = [], []
    for _ in range(args.rounds):
        if not args.skip_ours:
            ours.append(run_ours(args, folder, case, our_steps))
        peer.append(run_peer(args, folder, case, best, peer_steps))
    print(f"\n{case}: images/s with augmentation, least / median / greatest of {args.rounds}; "
          f"{our_steps} steps of ours, {peer_steps} of the peer's, torch {peer[0]['torch']}")
    for way, result in sorted(tried.items(), key=lambda item: -item[1]["images_per_s"]):
        print(f"    peer's {way}: {result['images_per_s']:,.0f}, {result['peak_mb']:,.0f} MB")
    for name, runs in (("ours", ours), ("peer", peer)):
        if runs:
            print(spoken(name, runs, "images_per_s", "{:,.0f}", "images/s"))
            print(spoken("", runs, "peak_mb", "{:,.0f}", "MB at the peak, all ranks"))
            print(f"  {'':14} loss of step 1 {runs[0]['first_loss']:.3f}, of the last {runs[0]['last_loss']:.3f}")
    for key in ("images_per_s", "peak_mb") if ours else ():
        print(f"  ratio, {key}: {spread([a[key] / b[key] for a, b in zip(ours, peer)])}")
    return {"tried": tried, "way": best, "ours": ours, "peer": peer}


# ---- the program ---------------------------------------------------------------------------------


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", default=sys.executable, help="interpreter with PyTorch, h5py and numpy")
    parser.add_argument("--trireme", default=ROOT / "build/release/trireme", type=pathlib.Path)
    parser.add_argument("--data", type=pathlib.Path, default=os.environ.get("TRIREME_DATA"),
                        help="folder of published data (default: $TRIREME_DATA)")
    parser.add_argument("--prepared", type=pathlib.Path, help="folder with prepared data sets")
    parser.add_argument("--only", default=",".join(CASES), help="cases, separated by commas")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=10, help="timed, of each run")
    parser.add_argument("--warmup", type=int, default=10, help="steps before them")
    parser.add_argument("--bind", choices=("core", "none"), default="core", help="core: a rank has its own")
    parser.add_argument("--set", action="append", default=[], help="a key of ours, e.g. batch.blocks=2")
    parser.add_argument("--ways", help="of the peer that are tried, separated by commas")
    parser.add_argument("--peer-option", action="append", default=[], help="e.g. --peer-option=--compile")
    parser.add_argument("--skip-ours", action="store_true", help="the peer alone")
    parser.add_argument("--json", type=pathlib.Path, help="file for the numbers of every run")
    return check_arguments(parser.parse_args())


def check_arguments(args):
    for name in ("trireme", "data", "prepared"):
        if path := getattr(args, name):
            setattr(args, name, pathlib.Path(path).resolve())
            if not getattr(args, name).exists():
                stop(f"--{name} {path}: there is no such file")
    args.only = args.only.split(",")
    args.ways = args.ways.split(",") if args.ways else None
    if unknown := [case for case in args.only if case not in CASES]:
        stop(f"there is no case {unknown[0]}; the cases are {', '.join(CASES)}")
    if args.rounds < 1 or args.seconds <= 0:
        stop("--rounds must be 1 at least, and --seconds above 0")
    if len(os.sched_getaffinity(0)) < RANKS * THREADS:
        stop("both sides need two processors")
    return args


def main():
    args = parse_arguments()
    print(describe_machine(args))
    record = {}
    with tempfile.TemporaryDirectory(prefix="compare-images-") as folder:
        for case in args.only:
            record[case] = compare_case(args, pathlib.Path(folder), case)
            sys.stdout.flush()
    if args.json:
        args.json.write_text(json.dumps({"machine": describe_machine(args), "cases": record}, indent=1))


if __name__ == "__main__":
    main()
