"""One configuration on many layouts. The canonical all-reduce gives one hash of the weights for every
layout, bucket size, transport, way of progress, and with sharded optimizer state; the ring's sums
change with the rank count, by rounding only; threads never change a bit."""
import itertools
import os

from harness import *

folder = temp_folder()
# 11 samples in 8 blocks: no rank count here divides either. Dropout is on.
config = small_setup(folder, text=SMALL.replace("size: 10, blocks: 7", "size: 11, blocks: 8")
                     .replace("width: 32", "width: 48")
                     .replace("dropout: 0.1", "dropout: 0.1, attention_dropout: 0.2"))
quick = ["--set", "checkpoint.initial=false", "--set", "checkpoint.every=0", "--set",
         "log.tensorboard=false"]


def go(name, ranks, threads, *more):
    run_dir = os.path.join(folder, name)
    good(train(config, run_dir, *quick, *more, ranks=ranks, threads=threads), name)
    return run_dir


# ---- the matrix: one hash for all
base = go("1x1", 1, 1)
want = hashes(base)
layouts = [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (3, 1), (4, 1), (5, 1), (7, 1)]
buckets = [64, 1024, 0]  # KiB; the gradient is 240 KiB
for (i, (ranks, threads)), (k, kib) in itertools.product(enumerate(layouts), enumerate(buckets)):
    sharded = ("false", "true")[(i + k) % 2]  # each with every layout and with every bucket size
    name = f"{ranks}x{threads}-{kib}-{sharded}"
    got = go(name, ranks, threads, "--set", f"comm.bucket_kib={kib}", "--set",
             f"optimizer.sharded={sharded}", *(["--set", "eval.at_end=false"] if kib else []))
    equal(hashes(got)[20], want[20], f"weights after 20 steps, {name}")
    if not kib:
        equal(valid_losses(got), valid_losses(base), f"validation, {name}")

# ---- other ways for the same sums to travel
ways = [(4, "comm.shared_window=false"), (3, "comm.progress=thread"), (2, "comm.progress=none")]
for ranks, key in ways:
    got = go(f"{ranks}-{key}", ranks, 1, "--set", key, "--set", "comm.bucket_kib=16")
    equal(hashes(got), want, f"{ranks} ranks, {key}")

# ---- bfloat16: one hash for all as well, another one than float32's
bf16 = ("--set", "train.precision=bf16")
base = go("bf16-1x1", 1, 1, *bf16)
check(hashes(base)[20] != want[20], "bf16 is another precision")
for ranks, threads in ((1, 2), (1, 3), (2, 1), (2, 2), (3, 1), (4, 1), (7, 1)):
    got = go(f"bf16-{ranks}x{threads}", ranks, threads, *bf16, "--set",
             f"optimizer.sharded={'true' if ranks > 2 else 'false'}")
    equal(hashes(got), hashes(base), f"bf16, {ranks} x {threads}")
    equal(valid_losses(got), valid_losses(base), f"validation, bf16, {ranks} x {threads}")
os.environ["TRIREME_BF16"] = "reference"
got = go("bf16-reference", 2, 1, *bf16)
del os.environ["TRIREME_BF16"]
equal(hashes(got), hashes(base), "bf16 by plain arithmetic")

# ---- the ring: threads change nothing, ranks only the rounding
ring = ("--set", "comm.allreduce=ring")
base = go("ring-1x1", 1, 1, *ring)
for threads in (2, 3):
    equal(hashes(go(f"ring-1x{threads}", 1, threads, *ring)), hashes(base), f"ring, 1 x {threads}")
want = losses(base)
for ranks in (2, 3, 4):
    got = losses(go(f"ring-{ranks}x1", ranks, 1, *ring))
    equal(sorted(got), sorted(want), f"steps logged on {ranks} ranks")
    for step in want:
        check(abs(got[step] - want[step]) < 1e-4 * want[step],
              f"ring, {ranks} ranks, step {step}: loss {got[step]}, on one rank {want[step]}")

# ---- other shapes of the model train too
variants = ["model.tied=true", "model.bias=false", "model.positions=sinusoidal",
            "model.activation=relu", "model.ff_width=24", "optimizer.name=sgd",
            "schedule.name=constant", "math.gemm=reference", "model.dropout=0"]
for variant in variants:
    got = losses(go("variant-" + variant.replace("=", "-"), 2, 1, "--set", variant,
                    "--set", "optimizer.lr=0.02", "--set", "model.attention_dropout=0"))
    check(got[20] < got[1], f"{variant}: loss {got[1]} at first, {got[20]} at last")
finish()
