#!/usr/bin/env python3
"""Times Trireme on sequences against PyTorch, in rounds of runs side by side.

    python3 benchmarks/compare_sequences.py --python VENV/bin/python --data FOLDER [--rounds 5]
    python3 benchmarks/compare_sequences.py --cases generate --data FOLDER --before OLDER/trireme

FOLDER (default: $TRIREME_DATA) holds sst2, multi30k-en-de and tinyshakespeare as they were published;
`trireme prepare` makes data sets of them, or --prepared names a folder with sst2.h5 and multi30k.h5.
Both sides read the same file, so that they have the same tokens. 2 ranks x 1 thread, float32. Cases:

    sst2-small, sst2-large   training the encoder; a step has as many samples on both sides
    multi30k                 training the encoder-decoder, about 4096 tokens a step
    translate                beam search over Multi30k's test part of 2016 with one checkpoint of ours, which
                             both sides read: --run RUN, or one that is trained for --train-steps first
    generate                 1,000 characters of the medium decoder, ours against an older build of ours

A rate counts real tokens, not padding: of a pair, the source with its end and the target with its begin. The
peer (peer/ddp_sequences.py) first tries its ways of doing the work, and the fastest is kept. Then runs
alternate (ours, peer, ours, peer, ...), so that what else the machine does falls on both; the ratio is
taken within each round, and its least, median and greatest are printed. Steps before --warmup are not counted, and
only steps are timed: no evaluation, no checkpoint. Of translate and generate, ours is the whole command; the
peer's figure is once the loop alone, without its start and the reading of the weights, and once the whole.
"""

import argparse
import csv
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from compare_peer import ROOT, describe_machine, run_torch_ranks, spread

RANKS, THREADS = 2, 1
PEER = ROOT / "benchmarks/peer/ddp_sequences.py"
WAYS = ("padded", "packed", "nested", "modules")
BATCHES = (16, 32, 64, 125, 250)  # sentences that a rank of the peer translates together

# {source} is a folder of published files.
PREPARE = {
    "sst2": ("sst2", ["labelled", "{source}/train.tsv", "--valid", "{source}/dev.tsv", "--header", "yes",
                      "--text", "2", "--label", "1", "--unit", "word", "--min-count", "2"]),
    "multi30k": ("multi30k-en-de",
                 ["pairs", "--source", "{source}/train.en", "--target", "{source}/train.de",
                  "--valid-source", "{source}/val.en", "--valid-target", "{source}/val.de",
                  "--test-source", "{source}/test_2016_flickr.en", "--test-target", "{source}/test_2016_flickr.de",
                  "--unit", "subword", "--vocab-size", "8000"]),
    "shakespeare": ("tinyshakespeare", ["text", "{source}/input.txt"]),
}
TEST_LINES = "multi30k-en-de/test_2016_flickr.en"

MODEL = dict(kind="encoder", heads=4, dropout=0.1, attention_dropout=0, norm="pre", positions="sinusoidal",
             activation="relu", init="xavier", context=512)
SEQ2SEQ = dict(MODEL, kind="seq2seq", layers=3, decoder_layers=3, width=256, ff_width=1024,
               embeddings="shared", tied="true")
# steps are timed; whole pools of 16 have all lengths in their share
TRAINING = {
    "sst2-small": dict(data="sst2", model=dict(MODEL, layers=2, width=128, ff_width=512, pooling="mean"),
                       batch=dict(size=64), steps=320),
    "sst2-large": dict(data="sst2", model=dict(MODEL, layers=4, width=256, ff_width=1024, pooling="mean"),
                       batch=dict(size=128), steps=64),
    "multi30k": dict(data="multi30k", model=SEQ2SEQ, batch=dict(tokens=4096), smoothing=0.1, steps=48),
}
CASES = (*TRAINING, "translate", "generate")
CONFIG = """\
data: {{ path: {data} }}
run: {{ dir: {run} }}
model: {{ {model} }}
batch: {{ {batch} }}
train: {{ steps: {steps} }}
optimizer: {{ name: adamw, lr: 1e-3, beta1: 0.9, beta2: 0.98, weight_decay: 0.1, clip_norm: 1.0 }}
schedule: {{ name: constant, warmup_steps: {lr_warmup} }}
eval: {{ every: 0, at_end: false }}
checkpoint: {{ every: 0, initial: false }}
log: {{ every: 1, tensorboard: false }}
"""
MEDIUM = dict(kind="decoder", layers=6, heads=6, width=384, context=256, dropout=0)


def stop(message):
    sys.exit(f"compare_sequences: {message}")


def pairs_of(settings, between):
    return [f"{key}{between}{value}" for key, value in settings.items()]


def run(command, environment=None):
    """Seconds, megabytes of the largest process, and output of a command that must succeed."""
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        started = time.perf_counter()
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        if process.returncode != 0:
            stop(f"{' '.join(map(str, command))} ended with {process.returncode}:\n{errors.read()[-3000:]}")
        return {"wall_s": seconds, "peak_rss_mb": usage.ru_maxrss * 1024 / 1e6, "output": output.read()}


def run_trireme(args, *command, program=None, ranks=RANKS, threads=THREADS):
    return run([ROOT / "launch/run", "-n", str(ranks), "-t", str(threads), "-b", args.bind, "--", *map(str, command)],
               dict(os.environ, TRIREME=str(program or args.trireme)))


def data_path(args, folder, name):
    """The prepared data set, made if it is not there."""
    if args.prepared and (args.prepared / f"{name}.h5").exists():
        return args.prepared / f"{name}.h5"
    path = folder / f"{name}.h5"
    if not path.exists():
        source, options = PREPARE[name]
        if not args.data or not (args.data / source).exists():
            stop(f"no data: give --data with a folder {source} in it, or --prepared with {name}.h5")
        run([args.trireme, "prepare", *(o.format(source=args.data / source) for o in options), "--force", "-o", path])
    return path


def write_config(path, data, out, model, batch, steps, smoothing=0, lr_warmup=0):
    text = CONFIG.format(data=data, run=out, model=", ".join(pairs_of(model, ": ")),
                         batch=", ".join(pairs_of(batch, ": ")), steps=steps, lr_warmup=lr_warmup)
    path.write_text(text + (f"loss: {{ label_smoothing: {smoothing} }}\n" if smoothing else ""))
    return path


def spoken(name, runs, key, form, unit):
    return f"  {name:14} {spread([r[key] for r in runs], form)} {unit}"


# ---- training ------------------------------------------------------------------------------------


def steps_of(args, case):
    return max(1, round(TRAINING[case]["steps"] * args.scale))


def train_ours(args, folder, case, facts):
    """facts: tokens and steps of an epoch, which the peer has counted."""
    c, out = TRAINING[case], folder / "run"
    n_steps = args.warmup + steps_of(args, case)
    config = write_config(folder / "run.yaml", data_path(args, folder, c["data"]), out, c["model"], c["batch"],
                          n_steps, c.get("smoothing", 0))
    command = ["train", config]
    for setting in args.set:
        command += ["--set", setting]
    run_trireme(args, *command)
    with open(out / "metrics.csv") as file:
        rows = [row for row in csv.DictReader(file) if row["loss"]]
    if len(rows) != n_steps:
        stop(f"{out}/metrics.csv has {len(rows)} steps, expected {n_steps}")
    shutil.rmtree(out)
    step_s = statistics.fmean(float(row["step_s"]) for row in rows[args.warmup:])
    return {"tokens_per_s": facts["epoch_tokens"] / facts["epoch_steps"] / step_s, "step_s": step_s,
            "peak_rss_mb": float(rows[-1]["peak_rss_mb"]),  # of rank 0
            "first_loss": float(rows[0]["loss"]), "last_loss": float(rows[-1]["loss"])}


def train_peer(args, folder, case, way, steps):
    c = TRAINING[case]
    command = [args.python, PEER, "--bind", "--threads", str(THREADS), "train", data_path(args, folder, c["data"]),
               "--model", ",".join(pairs_of(c["model"], "=")), "--way", way, "--steps", str(steps),
               "--warmup", str(args.warmup), "--label-smoothing", str(c.get("smoothing", 0)), *args.peer_option]
    command += ["--batch", str(c["batch"]["size"])] if "size" in c["batch"] else [
        "--batch-tokens", str(c["batch"]["tokens"])]
    return run_torch_ranks(command, RANKS, THREADS)


def compare_training(args, folder, case):
    trial = max(1, steps_of(args, case) // 4)
    tried = {way: train_peer(args, folder, case, way, trial) for way in args.ways}
    best = max(tried, key=lambda way: tried[way]["tokens_per_s"])
    ours, peer = [], []
    for _ in range(args.rounds):
        if not args.skip_ours:
            ours.append(train_ours(args, folder, case, tried[best]))
        peer.append(train_peer(args, folder, case, best, steps_of(args, case)))
    print(f"\n{case}: real tokens/s, least / median / greatest of {args.rounds}")
    for way, result in sorted(tried.items(), key=lambda item: -item[1]["tokens_per_s"]):
        print(f"    peer's {way}: {result['tokens_per_s']:,.0f}")
    for name, runs in (("ours", ours), ("peer", peer)):
        if runs:
            print(spoken(name, runs, "tokens_per_s", "{:,.0f}", "tokens/s"))
            print(spoken("", runs, "peak_rss_mb", "{:,.0f}", "MB a rank at its peak"))
            print(f"  {'':14} loss of step 1 {runs[0]['first_loss']:.3f}, of the last {runs[0]['last_loss']:.3f}")
    for key in ("tokens_per_s", "peak_rss_mb") if ours else ():
        print(f"  ratio, {key}: {spread([a[key] / b[key] for a, b in zip(ours, peer)])}")
    return {"tried": tried, "way": best, "ours": ours, "peer": peer}


# ---- translation ---------------------------------------------------------------------------------


def checkpoint_of(path):
    """The newest checkpoint of a run directory, or the file itself."""
    if path.is_file():
        return path
    files = sorted((path / "checkpoints").glob("step_*.h5"))
    if not files:
        stop(f"{path}: no checkpoint")
    return files[-1]


def trained_run(args, folder):
    if args.run:
        return args.run
    out = folder / "trained"
    config = write_config(folder / "trained.yaml", data_path(args, folder, "multi30k"), out, SEQ2SEQ,
                          dict(tokens=4096), args.train_steps, 0.1, args.train_steps // 5)
    run_trireme(args, "train", config)
    return out


def translate_ours(args, folder, checkpoint):
    out = folder / "ours.txt"
    result = run_trireme(args, "translate", checkpoint, "--beam", 5, "-i", args.data / TEST_LINES, "--force", "-o", out)
    return result | {"lines": out.read_text(encoding="utf-8").splitlines()}


def translate_peer(args, folder, checkpoint, batch, sentences=None):
    out = folder / "peer.txt"
    command = [args.python, PEER, "--bind", "--threads", str(THREADS), "translate",
               data_path(args, folder, "multi30k"), checkpoint, "--beam", "5", "--batch", str(batch), "--output", out]
    command += ["--sentences", str(sentences)] if sentences else []
    started = time.perf_counter()
    result = run_torch_ranks(command, RANKS, THREADS)
    return result | {"wall_s": time.perf_counter() - started, "lines": out.read_text(encoding="utf-8").splitlines()}


def show_differences(ours, peer):
    if len(ours) != len(peer):
        print(f"  ours wrote {len(ours)} lines, the peer {len(peer)}")
        return
    other = [(a, b) for a, b in zip(ours, peer) if a != b]
    print(f"  the same text for {len(ours) - len(other)} of {len(ours)} sentences")
    for a, b in other[:3]:
        print(f"    ours: {a}\n    peer: {b}")
    print(f"    e.g.: {ours[0]}")


def compare_translation(args, folder, case):
    if not args.skip_ours and (not args.data or not (args.data / TEST_LINES).exists()):
        stop(f"{case} needs --data with {TEST_LINES}")
    checkpoint = checkpoint_of(trained_run(args, folder))
    tried = {batch: translate_peer(args, folder, checkpoint, batch) for batch in args.batches}
    best = min(tried, key=lambda batch: tried[batch]["decode_s"])
    ours, peer = [], []
    for _ in range(args.rounds):
        if not args.skip_ours:
            ours.append(translate_ours(args, folder, checkpoint))
        peer.append(translate_peer(args, folder, checkpoint, best))
    print(f"\n{case}: beam 5, seconds, least / median / greatest of {args.rounds}")
    for batch, result in tried.items():
        print(f"    peer's batches of {batch} a rank: {result['decode_s']:.2f} s")
    print(f"    tokens of a translation, on average: {peer[0]['mean_tokens']:.1f}")
    if ours:
        print(spoken("ours", ours, "wall_s", "{:.2f}", "s"))
        print(spoken("", ours, "peak_rss_mb", "{:,.0f}", "MB, the larger rank"))
    print(spoken("peer, loop", peer, "decode_s", "{:.2f}", "s"))
    print(spoken("peer, all", peer, "wall_s", "{:.2f}", "s"))
    print(spoken("", peer, "peak_rss_mb", "{:,.0f}", "MB, the larger rank"))
    if ours:
        for name, key in (("peer's loop / all of ours", "decode_s"), ("all / all", "wall_s")):
            print(f"  ratio, {name}: {spread([b[key] / a['wall_s'] for a, b in zip(ours, peer)])}")
        show_differences(ours[-1]["lines"], peer[-1]["lines"])
    return {"tried": tried, "batch": best, "ours": ours, "peer": peer}


# ---- generation ----------------------------------------------------------------------------------


def generate(args, program, checkpoint, n_tokens):
    return run_trireme(args, "generate", checkpoint, "--tokens", n_tokens, "--prompt", "The ", program=program,
                       ranks=1, threads=2)


def compare_generation(args, folder, case):
    if not args.before:
        print(f"\n{case}: left out, there is no --before")
        return None
    sides = {"now": args.trireme, "before": args.before}
    runs = {name: [] for name in sides}
    checkpoints = {}
    for name, program in sides.items():  # each its own: a checkpoint says which matrix library it was trained with
        config = write_config(folder / f"medium-{name}.yaml", data_path(args, folder, "shakespeare"),
                              folder / f"medium-{name}", MEDIUM, dict(size=8), 20)
        run_trireme(args, "train", config, program=program)
        checkpoints[name] = checkpoint_of(folder / f"medium-{name}")
    for _ in range(args.rounds):
        for name, program in sides.items():
            start_s = generate(args, program, checkpoints[name], 1)["wall_s"]
            result = generate(args, program, checkpoints[name], args.tokens)
            result["tokens_per_s"] = (args.tokens - 1) / max(1e-3, result["wall_s"] - start_s)
            runs[name].append(result)
    print(f"\n{case}: {args.tokens} tokens of the medium decoder, 1 rank x 2 threads; tokens/s without the start, "
          f"least / median / greatest of {args.rounds}")
    for name in sides:
        print(spoken(name, runs[name], "tokens_per_s", "{:,.0f}", "tokens/s"))
        print(spoken("", runs[name], "wall_s", "{:.2f}", "s, all of it"))
        print(spoken("", runs[name], "peak_rss_mb", "{:,.0f}", "MB"))
    now, before = runs["now"], runs["before"]
    print(f"  ratio, tokens/s: {spread([a['tokens_per_s'] / b['tokens_per_s'] for a, b in zip(now, before)])}")
    print(f"  ratio, all of it: {spread([b['wall_s'] / a['wall_s'] for a, b in zip(now, before)])}")
    return runs


# ---- the program ---------------------------------------------------------------------------------


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", default=sys.executable, help="interpreter with PyTorch, h5py and numpy")
    parser.add_argument("--trireme", default=ROOT / "build/release/trireme", type=pathlib.Path)
    parser.add_argument("--data", type=pathlib.Path, default=os.environ.get("TRIREME_DATA"),
                        help="folder of published data (default: $TRIREME_DATA)")
    parser.add_argument("--prepared", type=pathlib.Path, help="folder with prepared data sets")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cases", default=",".join(CASES))
    parser.add_argument("--scale", type=float, default=1, help="of the number of timed steps")
    parser.add_argument("--warmup", type=int, default=16, help="steps before them")
    parser.add_argument("--bind", default="core", help="launch/run -b")
    parser.add_argument("--set", action="append", default=[], help="a key of ours, in training")
    parser.add_argument("--ways", default=",".join(WAYS), help="of the peer's training that are tried")
    parser.add_argument("--batches", default=",".join(map(str, BATCHES)), help="of the peer's search that are tried")
    parser.add_argument("--peer-option", action="append", default=[], help="e.g. --peer-option=--compile, in training")
    parser.add_argument("--run", type=pathlib.Path, help="translate: a run or checkpoint of ours on multi30k.h5")
    parser.add_argument("--train-steps", type=int, default=600, help="translate: of the run that is made without --run")
    parser.add_argument("--before", type=pathlib.Path, help="generate: an older build's program")
    parser.add_argument("--tokens", type=int, default=1000, help="generate: how many")
    parser.add_argument("--skip-ours", action="store_true", help="the peer alone")
    parser.add_argument("--json", type=pathlib.Path, help="file for the numbers of every run")
    return check_arguments(parser.parse_args())


def check_arguments(args):
    for name in ("trireme", "data", "prepared", "run", "before"):
        if path := getattr(args, name):
            setattr(args, name, pathlib.Path(path).resolve())
            if not getattr(args, name).exists():
                stop(f"--{name} {path}: there is no such file")
    args.cases, args.ways = args.cases.split(","), args.ways.split(",")
    args.batches = [int(batch) for batch in args.batches.split(",")]
    if unknown := [case for case in args.cases if case not in CASES]:
        stop(f"there is no case {unknown[0]}; the cases are {', '.join(CASES)}")
    if unknown := [way for way in args.ways if way not in WAYS]:
        stop(f"the peer has no way {unknown[0]}; its ways are {', '.join(WAYS)}")
    if args.rounds < 1 or args.tokens < 2:
        stop("--rounds must be 1 at least, and --tokens 2")
    if len(os.sched_getaffinity(0)) < RANKS * THREADS:
        stop("both sides need two processors")
    return args


def main():
    args = parse_arguments()
    print(describe_machine(args))
    record = {}
    with tempfile.TemporaryDirectory(prefix="compare-sequences-") as folder:
        folder = pathlib.Path(folder)
        for case in args.cases:
            compare = {"translate": compare_translation, "generate": compare_generation}.get(case, compare_training)
            record[case] = compare(args, folder, case)
            sys.stdout.flush()
    if args.json:
        args.json.write_text(json.dumps({"machine": describe_machine(args), "cases": record}, indent=1))


if __name__ == "__main__":
    main()
