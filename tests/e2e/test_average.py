"""Averages of the weights while training: the same bits on any layout and over a resume, evaluations look
at them, training does not."""
import os
import random
import re
import signal
import struct
import time
import zlib

import graphs
from harness import *

folder = temp_folder()
config = small_setup(folder)
CANONICAL = ("--set", "comm.allreduce=canonical")
SHARDED = ("--set", "optimizer.sharded=true")
EMA = ("--set", "average.kind=ema", "--set", "average.decay=0.9")
LAYOUTS = ((2, SHARDED), (3, ()), (4, SHARDED))


def path(name):
    return os.path.join(folder, name)


def newest(run_dir):
    return os.path.join(run_dir, "checkpoints", checkpoints(run_dir)[-1])


def average_hash(file):
    shown = run("inspect", file)
    found = re.search(r"average_hash +([0-9a-f]{16})", shown.out)
    return found.group(1) if found else None


def loss_of(*words):
    result = run("evaluate", *words, ranks=2)
    good(result, f"evaluate {words}")
    return float(re.search(r"loss (\S+)", result.out).group(1))


def check_layouts(setup, name, *how, steps=20, middle=13):
    """Final average and evaluations on several layouts, and stopped in the middle."""
    base = path(f"{name}-1")
    good(train(setup, base, *CANONICAL, *how), f"{name} on 1")
    want = average_hash(newest(base))
    check(want is not None, f"{name}: the checkpoint has an average")
    for ranks, more in LAYOUTS:
        other = path(f"{name}-{ranks}")
        good(train(setup, other, *CANONICAL, *how, *more, ranks=ranks), f"{name} on {ranks}")
        equal(average_hash(newest(other)), want, f"{name}: average on {ranks} ranks {more}")
        equal(valid_losses(other), valid_losses(base), f"{name}: evaluations on {ranks} ranks")
        equal(hashes(other), hashes(base), f"{name}: weights on {ranks} ranks")
    parts = path(f"{name}-parts")
    first = ("--set", f"train.steps={middle}", "--set", "eval.at_end=false")
    more = () if "average.kind=ema" in how else ("--set", f"average.from={steps // 2}")
    base_more = path(f"{name}-from")
    good(train(setup, base_more, *CANONICAL, *how, *more), f"{name}, again")
    good(train(setup, parts, *CANONICAL, *how, *more, *first, *SHARDED, ranks=3), f"{name} to {middle} on 3")
    good(train(setup, parts, *CANONICAL, *how, *more, "--resume", ranks=2), f"{name} to the end on 2")
    equal(average_hash(newest(parts)), average_hash(newest(base_more)), f"{name}: average after a resume")
    equal(valid_losses(parts), valid_losses(base_more), f"{name}: evaluations after a resume")
    return base


# ---- an exponential average of a language model
text = SMALL.replace("schedule: {warmup_steps: 5}", "schedule: {name: constant, warmup_steps: 5}")
with open(config, "w") as file:
    file.write(text % path("data.h5"))
base = check_layouts(config, "ema", *EMA)
good(train(config, path("raw"), *CANONICAL), "without an average")
equal(hashes(path("raw")), hashes(base), "training does not look at the average")
last = valid_losses(base)[20]
equal(round(last, 6), loss_of(base), "evaluate looks at the average")
equal(round(valid_losses(path("raw"))[20], 6), loss_of(base, "--raw"), "--raw does not")
check(abs(loss_of(base, "--raw") - last) > 1e-4, "they differ")
equal(run("generate", path("raw"), "-n", 20, "--prompt", "").out, run("generate", base, "-n", 20, "--prompt", "",
                                                                    "--raw").out, "generate --raw")
good(run("verify", base, "--from", 15, ranks=2), "verify a run with an average")
refused = train(config, path("raw"), "--resume", *CANONICAL, *EMA, "--set", "train.steps=25")
one_line(refused, 78, "average.kind", "--allow-changes")
good(train(config, path("raw"), "--resume", *CANONICAL, *EMA, "--set", "train.steps=25", "--allow-changes"),
     "begins to average")
check(average_hash(newest(path("raw"))) is not None, "it has an average now")
one_line(train(config, path("x"), "--set", "average.decay=0.5"), 78, "average.decay")

# ---- killed in the middle, and gone on with on other ranks
killed = path("killed")
how = [*CANONICAL, *EMA, "--set", "checkpoint.every=10", "--set", "eval.every=50", "--set", "log.tensorboard=false"]
process = start("train", config, "--set", f"run.dir={killed}", *how, "--set", "train.steps=1000000", *SHARDED, ranks=3)
wait_for(lambda: os.path.isdir(f"{killed}/checkpoints") and len(checkpoints(killed)) == 3, 60, "checkpoints")
os.killpg(process.pid, signal.SIGKILL)
process.communicate()
time.sleep(0.5)  # the ranks see that mpirun is gone
steps = (int(checkpoints(killed)[-1][5:13]) // 100 + 2) * 100
end = ("--set", f"train.steps={steps}")
good(train(config, killed, *how, *end, "--resume", ranks=2), "gone on with")
good(train(config, path("unbroken"), *how, *end, ranks=2), "never killed")
equal(average_hash(newest(killed)), average_hash(newest(path("unbroken"))), "average of a killed run")
equal(valid_losses(killed), valid_losses(path("unbroken")), "evaluations of a killed run")


# ---- equal weights of a network with batch norm
def png(path, pixels):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    size = len(pixels)
    content = b"".join(b"\0" + bytes(line) for line in pixels)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", size, size, 8, 0, 0, 0, 0)) +
                   chunk(b"IDAT", zlib.compress(content)) + chunk(b"IEND", b""))


r = random.Random(1)
for i in range(90):
    kind, size = i % 3, 6
    pixels = [[min(255, r.randrange(120) + (100 if (y if kind == 0 else x if kind == 1 else x + y) % 2 else 0))
               for x in range(size)] for y in range(size)]
    png(f"{folder}/pictures/{'rows columns checks'.split()[kind]}/{i}.png", pixels)
good(run("prepare", "images", f"{folder}/pictures", "--valid-share", "0.3", "-o", path("pictures.h5")), "prepare")
NETWORK = """
data: {path: %s, augment: "crop 1, flip"}
model: {kind: cnn, channels: "4,6", widths: "8", dropout: 0.1}
batch: {size: 16, blocks: 5}
optimizer: {name: sgd, lr: 0.05}
schedule: {name: constant}
train: {steps: 20}
average: {kind: swa, from: 0.5, every: 2}
eval: {every: 8}
checkpoint: {every: 5, keep: 3}
log: {every: 1}
"""
network = path("network.yaml")
with open(network, "w") as file:
    file.write(NETWORK % path("pictures.h5"))
base = check_layouts(network, "swa")
equal(round(valid_losses(base)[20], 6), loss_of(base), "evaluate has the estimated statistics")
predicted = [run("predict", base, "-o", path("p.tsv"), *more, ranks=2) for more in ((), ("--raw",))]
for result in predicted:
    good(result, "predict")

# ---- batch norm of graphs: statistics over whole graphs, batches of nodes, and sets
cases = graphs.layout_configs(folder)
for name, more in (("gin-batch", ""), ("gin-set", ""), ("gin-batch", "sampler.kind=neighbor sampler.fanout=4,3 batch.size=20")):
    how = ["--set", "average.kind=swa", "--set", "average.from=0.5", *CANONICAL]
    how += [word for item in more.split() for word in ("--set", item)]
    found = []
    for ranks, sharded in ((1, ()), (3, SHARDED)):
        run_dir = path(f"graph-{name}-{len(more)}-{ranks}")
        good(train(cases[name], run_dir, *how, *sharded, ranks=ranks), f"{name} {more} on {ranks}")
        found.append((average_hash(newest(run_dir)), valid_losses(run_dir), hashes(run_dir)))
    equal(found[1], found[0], f"{name} {more} on 3 ranks")
    check(found[0][0] is not None, "there is an average")

# a checkpoint whose statistics are older than the average says so
older = path("older")
good(train(network, older, "--set", "eval.every=0", "--set", "eval.at_end=false"), "never evaluated")
result = run("evaluate", older)
good(result, "evaluate it")
check("running statistics" in result.err and "--raw" in result.err, result.err)
for more, says in (((), True), (("--raw",), False)):
    result = run("average", newest(older), newest(older), *more, "-o", path("mean.h5"))
    good(result, "the mean of it")
    equal("running statistics" in result.err and "--raw" in result.err, says, result.err)
finish()
