"""Sequences on many layouts: one hash of the weights and one set of scores for every number of ranks and
threads, bucket size, and with sharded optimizer state; classes, numbers and sequences as targets."""
import os

from sequences import *

folder = temp_folder()
BUCKETS = ["--set", "comm.bucket_kib=16"]
SHARDED = ["--set", "optimizer.sharded=true"]
LAYOUTS = [(1, 1, []), (1, 2, []), (1, 3, BUCKETS), (2, 1, BUCKETS + SHARDED), (2, 2, []), (3, 1, SHARDED),
           (4, 1, BUCKETS), (4, 3, [])]
configs = layout_configs(folder)


def go(name, ranks, threads, *more, to=""):
    run_dir = f"{folder}/run-{name}{to}-{ranks}x{threads}"
    good(train(configs[name], run_dir, *more, ranks=ranks, threads=threads), f"{name} {ranks}x{threads}")
    return run_dir


for name in configs:
    base = go(name, 1, 1)
    want, want_scores, got = hashes(base), scores(base), losses(base)
    equal((len(want), len(want_scores)), (16, 2), f"{name}: hashes, evaluations")
    check(min(got[s] for s in range(12, 17)) < got[1], f"{name}: losses {got}")
    check(all(value for key, value in want_scores[1].items() if key.startswith("valid_")), f"{want_scores}")
    for ranks, threads, more in LAYOUTS[1:]:
        run_dir = go(name, ranks, threads, *more)
        equal(hashes(run_dir), want, f"{name} on {ranks} x {threads}")
        equal(scores(run_dir), want_scores, f"{name}: scores on {ranks} x {threads}")

# ---- bfloat16
for name in ("classes", "reverse"):
    want = None
    for ranks, threads in ((1, 1), (1, 3), (3, 1)):
        run_dir = go(name, ranks, threads, "--set", "train.precision=bf16", to="-bf16")
        want = want or (hashes(run_dir), scores(run_dir))
        equal((hashes(run_dir), scores(run_dir)), want, f"{name} in bf16 on {ranks} x {threads}")
    check(want[0] != hashes(f"{folder}/run-{name}-1x1"), f"{name}: bf16 is another precision")

# ---- other shapes of the models train too
for name, given in (("classes", "model.pooling=max"), ("classes", "model.init=normal"), ("reverse", "model.bias=false"),
                    ("reverse", "model.embeddings=shared"), ("reverse", "model.ff_width=5")):
    got = losses(go(name, 2, 1, "--set", given, to="-" + given.replace("=", "-")))
    check(min(got[s] for s in range(12, 17)) < got[1], f"{name} with {given}: losses {got}")
finish()
