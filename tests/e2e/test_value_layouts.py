"""Rows and images on many layouts: one hash of the weights and one set of scores for every number of ranks
and threads, bucket size, and with sharded optimizer state; augmentation, mixing and batch norm are on."""
from values import *

folder = temp_folder()
BUCKETS = ["--set", "comm.bucket_kib=1"]
SHARDED = ["--set", "optimizer.sharded=true"]
LAYOUTS = [(1, 1, []), (1, 2, BUCKETS), (2, 1, BUCKETS + SHARDED), (3, 2, SHARDED), (4, 1, [])]
configs = configs_of(folder)

for name in configs:
    for ranks, threads, more in LAYOUTS:
        run_dir = f"{folder}/{name}-{ranks}x{threads}"
        good(train(configs[name], run_dir, *more, ranks=ranks, threads=threads), f"{name} {ranks}x{threads}")
        if ranks * threads == 1:
            want, want_scores, got = hashes(run_dir), scores(run_dir), losses(run_dir)
            equal((len(want), len(want_scores)), (16, 2), f"{name}: hashes, evaluations")
            check(min(got[s] for s in range(12, 17)) < got[1], f"{name}: losses {got}")
            kept = [value for key, value in want_scores[1].items() if key.startswith(("valid_", "test_"))]
            check(len(kept) > 5 and all(kept), f"{name}: scores {want_scores[1]}")
        equal(hashes(run_dir), want, f"{name} on {ranks} x {threads}")
        equal(scores(run_dir), want_scores, f"{name}: scores on {ranks} x {threads}")
finish()
