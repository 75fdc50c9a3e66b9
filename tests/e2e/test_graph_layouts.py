"""Graphs on many layouts: one hash of the weights and one set of scores for every number of ranks and
threads, whole graph, sampled, clusters, sets and recommendation."""
import os

from graphs import *

folder = temp_folder()
LAYOUTS = [(1, 1), (1, 2), (2, 2), (3, 1), (4, 1)]

for name, path in layout_configs(folder).items():
    want = want_scores = None
    for ranks, threads in LAYOUTS:
        run_dir = f"{folder}/run-{name}-{ranks}x{threads}"
        if not good(train(path, run_dir, ranks=ranks, threads=threads), f"{name} {ranks}x{threads}"):
            break
        if want is None:
            want, want_scores = hashes(run_dir), scores(run_dir)
            check(len(want) >= 12, f"{name}: {len(want)} hashes")
            check(len(want_scores) >= 2, f"{name}: {len(want_scores)} evaluations")
            got = losses(run_dir)
            check(min(got[s] for s in range(7, 13)) < got[1], f"{name}: losses {got}")
        equal(hashes(run_dir), want, f"{name} on {ranks} x {threads}")
        equal(scores(run_dir), want_scores, f"{name}: scores on {ranks} x {threads}")

# ---- the dense parts in bfloat16
for name in ("gcn", "sage-sampled", "gin-set"):
    want = None
    for ranks, threads in ((1, 1), (1, 2), (3, 1)):
        run_dir = f"{folder}/run-{name}-bf16-{ranks}x{threads}"
        good(train(f"{folder}/{name}.yaml", run_dir, "--set", "train.precision=bf16", ranks=ranks,
                   threads=threads), f"{name} in bf16, {ranks}x{threads}")
        want = want or hashes(run_dir)
        equal(hashes(run_dir), want, f"{name} in bf16 on {ranks} x {threads}")
    check(want != hashes(f"{folder}/run-{name}-1x1"), f"{name}: bf16 is another precision")

# ---- storage changes where bytes lie, never a bit
for name in ("gcn-dense-metis", "sage-sampled"):
    want = hashes(f"{folder}/run-{name}-1x1")
    for storage in ("replicated", "shared", "partitioned"):
        run_dir = f"{folder}/run-{name}-{storage}"
        good(train(f"{folder}/{name}.yaml", run_dir, "--set", f"data.storage={storage}", ranks=3),
             f"{name} {storage}")
        equal(hashes(run_dir), want, f"{name}, {storage} storage")

# ---- resumed in the middle, on other ranks
for name in ("gcn", "sage-sampled", "gin-set", "lightgcn"):
    run_dir = f"{folder}/resumed-{name}"
    path = f"{folder}/{name}.yaml"
    good(train(path, run_dir, "--set", "train.steps=6", ranks=2), f"{name} to step 6")
    good(train(path, run_dir, "--resume", ranks=3), f"{name} resumed")
    equal(hashes(run_dir), hashes(f"{folder}/run-{name}-1x1"), f"{name} resumed on 3 ranks")
finish()
