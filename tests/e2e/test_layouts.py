"""One configuration on many layouts: threads never change a bit, ranks change the ring's sums by
rounding only, and the canonical all-reduce not at all. Every rank count sees the same samples."""
import os

from harness import *

folder = temp_folder()
config = small_setup(folder)


def go(name, ranks, threads, *more):
    run_dir = os.path.join(folder, name)
    good(train(config, run_dir, *more, ranks=ranks, threads=threads), name)
    return run_dir


# Threads: identical bits.
base = go("ring-1x1", 1, 1)
for threads in (2, 3):
    equal(hashes(go(f"ring-1x{threads}", 1, threads)), hashes(base), f"1 x {threads}")

# Ranks, ring: the same curve to rounding, though 7 blocks of 10 samples divide by nothing.
want = losses(base)
for ranks in (2, 3, 4):
    got = losses(go(f"ring-{ranks}x1", ranks, 1))
    equal(sorted(got), sorted(want), f"steps logged on {ranks} ranks")
    for step in want:
        check(abs(got[step] - want[step]) < 1e-4 * want[step],
              f"{ranks} ranks, step {step}: loss {got[step]}, on one rank {want[step]}")

# Ranks, canonical: identical bits, whatever the buckets, the transport and the way of progress.
canonical = ("--set", "comm.allreduce=canonical")
base = go("can-1x1", 1, 1, *canonical)
cases = [(2, 1, ()), (2, 2, ("--set", "comm.bucket_kib=4")), (3, 1, ("--set", "comm.progress=thread")),
         (4, 1, ("--set", "comm.shared_window=false")), (5, 1, ("--set", "comm.progress=none")),
         (7, 1, ("--set", "comm.bucket_kib=0"))]
for ranks, threads, more in cases:
    got = go(f"can-{ranks}x{threads}", ranks, threads, *canonical, *more)
    equal(hashes(got), hashes(base), f"canonical {ranks} x {threads} {more}")
    equal(valid_losses(got), valid_losses(base), f"validation on {ranks} x {threads}")

# Other shapes of the model train too.
variants = ["model.tied=true", "model.bias=false", "model.positions=sinusoidal",
            "model.activation=relu", "model.ff_width=24", "optimizer.name=sgd",
            "schedule.name=constant", "math.gemm=reference", "model.dropout=0"]
for variant in variants:
    got = losses(go("variant-" + variant.replace("=", "-"), 2, 1, "--set", variant,
                    "--set", "optimizer.lr=0.02"))
    check(got[20] < got[1], f"{variant}: loss {got[1]} at first, {got[20]} at last")
finish()
