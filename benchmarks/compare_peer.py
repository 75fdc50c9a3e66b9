#!/usr/bin/env python3
"""Times Trireme against PyTorch DistributedDataParallel + gloo, in pairs of runs side by side.

    python3 benchmarks/compare_peer.py --python VENV/bin/python [--pairs 5] [--sizes small,medium]

Both train the same model on synthetic tokens on two processors, as 2 ranks of 1 thread (--layout 2x1) or
1 rank of 2 threads (1x2), each rank bound to cores of its own; the first steps are not counted.
--precision bf16 is train.precision of ours and bfloat16 autocast of the peer. Runs alternate (ours, peer,
ours, peer, ...), so that what else the machine does falls on both; the ratio is taken within each pair and
its least, median and greatest are printed. Then, alternating in the same way:

    ours on 2 ranks against 1, with as many sequences a rank       (left out with --skip-scaling)
    ours on 1 rank of 2 threads against 1 thread, the same batch   (--threads-scaling)
    ours in bfloat16 against float32                               (--own-precision)

The rate of arithmetic counts what a model needs (flop_a_token), not what a program makes again; it is
also shown as a share of the best rate of the processors, which bench_peak measures before each pair
(`cmake --build build/release --target benchmarks`; without it there are no shares).

Needs an interpreter with `pip install torch h5py numpy` for the peer (benchmarks/peer/ddp_gpt.py);
this script itself needs only the standard library. --json writes every run's numbers.
"""

import argparse
import csv
import json
import os
import pathlib
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PRECISIONS = ("float32", "bf16")
LAYOUTS = {"2x1": (2, 1), "1x2": (1, 2)}  # ranks, threads a rank
# batch: sequences a share, which is a processor's part of the work. steps are timed, warmup ones are not.
SIZES = {
    "small": dict(layers=4, heads=4, width=128, context=64, vocab=65, batch=12, steps=200, warmup=10),
    "medium": dict(layers=6, heads=6, width=384, context=256, vocab=65, batch=4, steps=30, warmup=10),
    # A batch is cut into 8 blocks at least unless told otherwise, here of one sequence each, and the
    # gradient of all 124 million weights would be added up 8 times for 64 tokens apiece. One block a
    # share (batch.blocks: 2) makes products of 256 rows, as the peer's are.
    "gpt2": dict(layers=12, heads=12, width=768, context=64, vocab=50257, tied=True, batch=4,
                 blocks_a_share=1, steps=8, warmup=3),
    "vocab32k": dict(layers=6, heads=6, width=384, context=256, vocab=32000, batch=16, steps=4, warmup=2,
                     blocks_a_share=4),
}
CONFIG = """\
data: {{ path: {data} }}
run: {{ dir: {run} }}
model: {{ layers: {layers}, heads: {heads}, width: {width}, context: {context}, dropout: 0, tied: {tied} }}
batch: {{ size: {batch}, blocks: {blocks} }}
train: {{ steps: {steps} }}
optimizer: {{ name: adamw, lr: 1e-3, beta1: 0.9, beta2: 0.99, weight_decay: 0.1, clip_norm: 1.0 }}
schedule: {{ name: constant, warmup_steps: 0 }}
eval: {{ every: 0, at_end: false }}
checkpoint: {{ every: 0, initial: false }}
log: {{ every: 1, tensorboard: false }}
"""


def flop_a_token(size):
    """What forward and backward pass need for a token.

    A matrix weight is multiplied and added once in the forward pass and twice in the backward pass (the
    gradients of its input and of itself): 6 FLOP a token. Matrix weights of a layer are 3 C^2 (q, k, v)
    + C^2 (projection) + 8 C^2 (feed-forward), and V C are the output's; the embeddings multiply nothing.
    Attention of T tokens has T (T + 1) / 2 pairs that see each other and 2 products of C multiply-adds a
    pair (scores, mix) forward, 4 backward: 6 C T (T + 1) FLOP a layer, or 6 C (T + 1) a token.
    Not counted: logits and scores that are made again in the backward pass, all that is no product.
    """
    shape = SIZES[size]
    L, C, T, V = shape["layers"], shape["width"], shape["context"], shape["vocab"]
    return 6 * (12 * L * C * C + V * C) + 6 * L * C * (T + 1)


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


def tokens_file(args, folder, vocab):
    path = folder / f"tokens-{vocab}.h5"
    if not path.exists():
        subprocess.run([args.trireme, "prepare", "synth", "--tokens", "1048576", "--vocab", str(vocab),
                        "--seed", "1", "-o", path], check=True, stderr=subprocess.DEVNULL)
    return path


def run_ours(args, folder, size, ranks, threads, shares, precision):
    shape = SIZES[size]
    run, config = folder / "run", folder / "run.yaml"
    warmup, n_steps = args.warmup[size], args.warmup[size] + args.steps[size]
    batch = shares * shape["batch"]
    config.write_text(CONFIG.format(
        **{key: shape[key] for key in ("layers", "heads", "width", "context")},
        data=tokens_file(args, folder, shape["vocab"]), run=run, steps=n_steps, batch=batch,
        tied="true" if shape.get("tied") else "false", blocks=shares * shape.get("blocks_a_share", 0)))
    command = [ROOT / "launch/run", "-n", str(ranks), "-t", str(threads), "-b", "core", "--", "train",
               config]
    if precision != "float32":
        command += ["--set", f"train.precision={precision}"]
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
    shutil.rmtree(run)  # its checkpoint has 1.5 GB for gpt2
    step_s = statistics.median(float(row["step_s"]) for row in rows[warmup:])
    exposed_s = statistics.median(float(row["exposed_comm_s"]) for row in rows[warmup:])
    return {
        "tokens_per_s": batch * shape["context"] / step_s,
        "peak_rss_mb": float(rows[-1]["peak_rss_mb"]),  # of rank 0
        "first_step_s": first_step_s,
        "exposed_share": exposed_s / step_s,
        "first_loss": float(rows[0]["loss"]),
        "last_loss": float(rows[-1]["loss"]),
    }


def run_torch_ranks(command, ranks, threads):
    """Starts `ranks` processes as torchrun would; what rank 0 says in its last line, which is JSON."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    processes = []
    for rank in range(ranks):
        environment = dict(os.environ, RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(ranks),
                           MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port),
                           OMP_NUM_THREADS=str(threads))
        processes.append(subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL,
                                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
    outputs = [process.communicate() for process in processes]
    for process, (_, errors) in zip(processes, outputs):
        if process.returncode != 0:
            stop(f"the peer ended with {process.returncode}:\n{errors[-3000:]}")
    return json.loads(outputs[0][0].splitlines()[-1])


def run_peer(args, _, size, ranks, threads, shares, precision):
    shape = SIZES[size]
    command = [args.python, ROOT / "benchmarks/peer/ddp_gpt.py", "--bind", "--threads", str(threads),
               "--steps", str(args.steps[size]), "--warmup", str(args.warmup[size]),
               "--batch", str(shares * shape["batch"] // ranks), *args.peer_option]
    for key in ("layers", "heads", "width", "context", "vocab"):
        command += [f"--{key}", str(shape[key])]
    command += ["--tied"] if shape.get("tied") else []
    command += ["--autocast"] if precision == "bf16" else []
    return run_torch_ranks(command, ranks, threads)


def measure_peaks(args):
    """GFLOP/s of the best resident loop by (precision, threads); empty without bench_peak."""
    if not args.bench_peak.exists():
        return {}
    output = subprocess.run([args.bench_peak, "--csv", "--threads", "2"], check=True,
                            capture_output=True, text=True).stdout
    peaks = {}
    for row in csv.DictReader(output.splitlines()):
        key = row["precision"], int(row["threads"])
        peaks[key] = max(peaks.get(key, 0), float(row["gflop_per_s"]))
    return peaks


def add_rates(run, size, precision, processors, peaks):
    """The rate of arithmetic, and its share of the peak of this pair."""
    run["precision"] = precision
    run["gflop_per_s"] = flop_a_token(size) * run["tokens_per_s"] * 1e-9
    if peak := peaks.get((precision, processors)):
        run["peak_gflop_per_s"] = peak
        run["peak_percent"] = 100 * run["gflop_per_s"] / peak
    return run


def spread(values, form="{:.2f}"):
    values = sorted(values)
    return " / ".join(form.format(v) for v in (values[0], statistics.median(values), values[-1]))


def compare(title, a_name, a_runs, b_name, b_runs):
    """Prints medians, and the ratios a/b pair by pair as least / median / greatest."""
    print(f"\n{title}")
    width = max(len(a_name), len(b_name), len("ratio"))
    for key, unit, form, has_ratio in (
            ("tokens_per_s", "tokens/s", "{:,.0f}", True),
            ("gflop_per_s", "GFLOP/s of all processors", "{:,.1f}", False),
            ("peak_percent", "% of the peak in the precision", "{:.1f}", False),
            ("peak_rss_mb", "MB a rank at its peak", "{:,.0f}", True),
            ("first_step_s", "s from launch to the end of step 1", "{:.2f}", True)):
        if not all(key in run for run in a_runs + b_runs):
            continue
        a, b = ([run[key] for run in runs] for runs in (a_runs, b_runs))
        print(f"  {unit}")
        print(f"    {a_name:{width}} {spread(a, form)}")
        print(f"    {b_name:{width}} {spread(b, form)}")
        if has_ratio:
            print(f"    {'ratio':{width}} {spread([x / y for x, y in zip(a, b)], '{:.3f}')}")


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


def per_size(text, option, key):
    """--steps and --warmup: "small=200,medium=30", or one number for all; the rest as in SIZES."""
    counts = {size: shape[key] for size, shape in SIZES.items()}
    for part in text.split(",") if text else []:
        name, _, count = part.rpartition("=")
        if not count.isdigit() or (name and name not in SIZES):
            stop(f"{option} {part}: give e.g. {option} small=20,medium=5, or one number for all sizes; "
                 f"the sizes are {', '.join(SIZES)}")
        for size in [name] if name else SIZES:
            counts[size] = int(count)
    return counts


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", default=sys.executable, help="interpreter with PyTorch")
    parser.add_argument("--trireme", default=ROOT / "build/release/trireme", type=pathlib.Path)
    parser.add_argument("--bench-peak", type=pathlib.Path,
                        help="default: benchmarks/bench_peak beside trireme")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--sizes", default="small,medium", help=f"of {', '.join(SIZES)}")
    parser.add_argument("--layout", choices=LAYOUTS, default="2x1",
                        help="ranks x threads of ours and the peer; the batch is the same")
    parser.add_argument("--precision", choices=PRECISIONS, default="float32")
    parser.add_argument("--batch", type=int, default=0, help="sequences a share; default: the size's")
    parser.add_argument("--blocks-a-share", type=int, default=0, help="of ours (batch.blocks); default: the size's")
    parser.add_argument("--steps", default="", help="timed steps: 20, or small=200,medium=30")
    parser.add_argument("--warmup", default="", help="steps before them, likewise")
    parser.add_argument("--set", action="append", default=[], help="a key of ours, e.g. comm.progress=thread")
    parser.add_argument("--peer-option", action="append", default=[], help="e.g. --peer-option=--compile")
    parser.add_argument("--skip-peer", action="store_true", help="nothing against the peer")
    parser.add_argument("--skip-scaling", action="store_true", help="not ours on 2 ranks against 1")
    parser.add_argument("--threads-scaling", action="store_true",
                        help="also ours on 1 rank of 2 threads against 1 thread")
    parser.add_argument("--own-precision", action="store_true", help="also ours in bf16 against float32")
    parser.add_argument("--json", type=pathlib.Path, help="file for the numbers of every run")
    args = parser.parse_args()
    args.trireme = args.trireme.resolve()
    args.bench_peak = args.bench_peak or args.trireme.parent / "benchmarks/bench_peak"
    args.sizes = args.sizes.split(",")
    args.steps = per_size(args.steps, "--steps", "steps")
    args.warmup = per_size(args.warmup, "--warmup", "warmup")
    if not args.trireme.exists():
        stop(f"{args.trireme}: no such program; build it, or give --trireme")
    if unknown := [size for size in args.sizes if size not in SIZES]:
        stop(f"there is no size {unknown[0]}; the sizes are {', '.join(SIZES)}")
    for size in args.sizes:
        SIZES[size].update({key: value for key, value in (("batch", args.batch), ("blocks_a_share", args.blocks_a_share))
                            if value > 0})
    if missing := [size for size in args.sizes if args.steps[size] < 1]:
        stop(f"--steps: {missing[0]} needs a step at least")
    if len(os.sched_getaffinity(0)) < 2:
        stop("two ranks need two processors")
    return args


def sections(args):
    """The pairs that are wanted: key, title, and the two sides, each with a name and its run's layout
    (ranks, threads, shares of the batch), its precision, and whether it is ours."""
    ranks, threads = LAYOUTS[args.layout]
    where = f"{ranks} rank{'s' * (ranks > 1)} x {threads} thread{'s' * (threads > 1)}"
    own = args.precision
    both = (ranks, threads, 2)
    if not args.skip_peer:
        yield ("peer", f"{where}, {own}: ours / peer",
               ("ours", both, own, run_ours), ("peer", both, own, run_peer))
    if not args.skip_scaling:
        yield ("ranks", f"ours, {own}: 2 ranks / 1 rank, as many sequences a rank",
               ("2 ranks", (2, 1, 2), own, run_ours), ("1 rank", (1, 1, 1), own, run_ours))
    if args.threads_scaling:
        yield ("threads", f"ours, 1 rank, {own}: 2 threads / 1 thread, the same batch",
               ("2 threads", (1, 2, 2), own, run_ours), ("1 thread", (1, 1, 2), own, run_ours))
    if args.own_precision:
        yield ("precision", f"ours, {where}: bf16 / float32",
               ("bf16", both, "bf16", run_ours), ("float32", both, "float32", run_ours))


def main():
    args = parse_arguments()
    wanted = list(sections(args))
    if not wanted:
        stop("nothing is left to measure")
    print(describe_machine(args))
    if not args.bench_peak.exists():
        print(f"no shares of the peak: {args.bench_peak} is not built (target benchmarks)")
    record = {}
    with tempfile.TemporaryDirectory(prefix="compare-peer-") as folder:
        folder = pathlib.Path(folder)
        for size in args.sizes:
            runs = {key: ([], []) for key, *_ in wanted}
            for _ in range(args.pairs):
                peaks = measure_peaks(args)
                for key, _, *sides in wanted:
                    for done, (_, layout, precision, run) in zip(runs[key], sides):
                        done.append(add_rates(run(args, folder, size, *layout, precision), size,
                                              precision, layout[0] * layout[1], peaks))
            shape = ", ".join(f"{key} {SIZES[size][key]}"
                              for key in ("layers", "heads", "width", "context", "vocab"))
            print(f"\n{size} ({shape}, {SIZES[size]['batch']} sequences a share; "
                  f"{flop_a_token(size) / 1e6:,.1f} MFLOP a token); each least / median / greatest of "
                  f"{args.pairs}")
            for key, title, a, b in wanted:
                compare(title, a[0], runs[key][0], b[0], runs[key][1])
                if key == "peer":
                    print(f"  the peer is torch {runs[key][1][0]['torch']}")
                if key == "ranks":
                    share = [100 * run["exposed_share"] for run in runs[key][0]]
                    print(f"  waiting for gradients on 2 ranks, % of a step: {spread(share, '{:.1f}')}")
            sys.stdout.flush()
            record[size] = {key: {a[0]: runs[key][0], b[0]: runs[key][1]} for key, _, a, b in wanted}
    if args.json:
        args.json.write_text(json.dumps({"machine": describe_machine(args), "runs": record}, indent=1))


if __name__ == "__main__":
    main()
