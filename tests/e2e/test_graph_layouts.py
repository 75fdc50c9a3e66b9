"""Graphs on many layouts: one hash of the weights and one set of scores for every number of ranks and
threads, whole graph, sampled, clusters, sets and recommendation."""
import os

from graphs import *

folder = temp_folder()
sparse = prepare("graph", nodes_folder(f"{folder}/sparse"))
dense = prepare("graph", nodes_folder(f"{folder}/dense", sparse=False))
few = prepare("graph", nodes_folder(f"{folder}/few", sparse=False, train=3))
eight = prepare("graph", nodes_folder(f"{folder}/eight", sparse=False, train=8))
sets = prepare("graphs", set_folder(f"{folder}/sets"))
pairs = prepare("interactions", pairs_folder(f"{folder}/pairs"))

SAMPLED = "sampler: {kind: neighbor, fanout: '4,3'}\nbatch: {size: 23, blocks: 7}"
CASES = {
    "gcn": (sparse, "model: {kind: gcn, layers: 2, width: 16, dropout: 0.5, activation: relu}\n"
                    "batch: {blocks: 5}"),
    "gcn-dense-metis": (dense, "model: {kind: gcn, layers: 3, width: 8, dropout: 0.2, drop_edge: 0.2, "
                               "norm: layer, block: residual, activation: relu}\nbatch: {blocks: 7}"),
    "gat": (sparse, "model: {kind: gat, layers: 2, width: 16, heads: 4, dropout: 0.3, "
                    "attention_dropout: 0.3, activation: elu}\nbatch: {blocks: 5}"),
    "gin-batch": (dense, "model: {kind: gin, layers: 2, width: 8, norm: batch, activation: relu}\n"
                         "batch: {blocks: 5}"),
    "sage-max": (dense, "model: {kind: sage, layers: 2, width: 8, aggregator: max, jumping: concat, "
                        "activation: relu}\nbatch: {blocks: 5}"),
    "mlp": (sparse, "model: {kind: mlp, layers: 2, width: 16, activation: relu}\nbatch: {blocks: 5}"),
    "few-seeds": (few, "model: {kind: gcn, layers: 2, width: 16, activation: relu}\n"
                       "batch: {blocks: 7}"),
    "sage-sampled": (dense, "model: {kind: sage, layers: 2, width: 8, dropout: 0.3, "
                            f"activation: relu}}\n{SAMPLED}"),
    "gat-sampled": (sparse, "model: {kind: gat, layers: 2, width: 8, heads: 2, drop_edge: 0.1, "
                            "attention_dropout: 0.2, activation: elu}\n" + SAMPLED),
    "cluster": (sparse, "model: {kind: gcn, layers: 2, width: 8, activation: relu}\n"
                        "sampler: {kind: cluster, clusters: 20}\nbatch: {size: 9, blocks: 7}"),
    "gin-set": (sets, "model: {kind: gin, layers: 3, width: 8, norm: batch, readout: sum, "
                      "dropout: 0.2, activation: relu}\nbatch: {size: 16, blocks: 7}"),
    "lightgcn-metis": (pairs, "model: {kind: lightgcn, layers: 2, width: 8}\n"
                              "batch: {size: 64, blocks: 5}"),
    "cluster-few": (eight, "model: {kind: gcn, layers: 2, width: 8, activation: relu}\n"
                         "sampler: {kind: cluster, clusters: 60}\nbatch: {size: 4, blocks: 4}"),
    "lightgcn": (pairs, "model: {kind: lightgcn, layers: 3, width: 8, drop_edge: 0.1}\n"
                        "batch: {size: 64, blocks: 7}"),
}
LAYOUTS = [(1, 1), (1, 2), (2, 1), (3, 1), (4, 1), (2, 2)]


def scores(run_dir):
    """Everything an evaluation says, by step."""
    kept = [r for r in rows(run_dir) if r["valid_loss"]]
    return [{k: v for k, v in r.items() if k not in ("elapsed_s", "peak_rss_mb")} for r in kept]


for name, (data, body) in CASES.items():
    path = config(f"{folder}/{name}.yaml", data, body)
    if name.endswith("metis"):
        with open(path) as file:
            text = file.read().replace(".h5}", ".h5, partition: metis}")
        with open(path, "w") as file:
            file.write(text)
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
