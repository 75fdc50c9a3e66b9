"""Small graphs for the end-to-end tests, made here, and configurations on them."""
import os
import random

from harness import *

QUICK = """
data: {path: %(data)s}
%(body)s
optimizer: {name: adam, lr: 0.01, weight_decay: 0.0005, clip_norm: 0}
schedule: {name: constant, warmup_steps: 0}
train: {steps: %(steps)d}
eval: {every: 5}
checkpoint: {every: %(every)d, keep: 3, initial: false}
log: {every: 1, tensorboard: false}
"""


def write(path, lines):
    with open(path, "w") as file:
        file.write("".join(line + "\n" for line in lines))
    return path


def random_edges(random_, n, degree, classes=None):
    """Undirected edges, each once; with classes, three quarters of them inside a class."""
    found = set()
    for u in range(n - 1):  # the last node stays alone
        for _ in range(degree // 2):
            v = random_.randrange(n - 1)
            if classes and classes[u] != classes[v] and random_.random() < 0.7:
                v = random_.randrange(n - 1)
            if u != v:
                found.add((min(u, v), max(u, v)))
    return sorted(found)


def nodes_folder(folder, n=240, n_classes=3, n_features=12, sparse=True, seed=1, train=None,
                 parts=("train", "val", "test"), labels=True):
    """One graph in the tab-separated forms: features say a little of the class, neighbours more."""
    r = random.Random(seed)
    os.makedirs(folder)
    classes = [r.randrange(n_classes) for _ in range(n)]
    write(f"{folder}/edges.tsv", (f"{u}\t{v}" for u, v in random_edges(r, n, 8, classes)))
    if labels:
        write(f"{folder}/labels.tsv", (f"{i}\t{c}" for i, c in enumerate(classes)))
    if sparse:
        rows = []
        for i, c in enumerate(classes):
            columns = {r.randrange(n_features) for _ in range(2)} | ({c} if r.random() < 0.6 else set())
            rows += [f"{i}\t{k}\t1" for k in sorted(columns)]
        write(f"{folder}/features.tsv", rows)
    else:
        write(f"{folder}/features_dense.tsv",
              ("\t".join(f"{r.gauss(1.0 if k == c else 0.0, 1):.5f}" for k in range(n_features))
               for c in classes))
    order = list(range(n))
    r.shuffle(order)
    train = n // 2 if train is None else train
    nodes = {"train": order[:train], "val": order[train:train + n // 4],
             "test": order[train + n // 4:]}
    for name in parts:
        write(f"{folder}/{name}.txt", (str(i) for i in sorted(nodes[name])))
    return folder


def set_folder(folder, n_graphs=40, seed=2):
    """Graphs of two kinds: rings, and rings with chords; ten folds. One has no edges."""
    r = random.Random(seed)
    os.makedirs(folder)
    nodes, edges, labels, first = [], [], [], 0
    for g in range(n_graphs):
        n, kind = r.randrange(5, 14), g % 2
        nodes += [f"{first + i}\t{g}\t{r.randrange(3)}" for i in range(n)]
        if g != 7:
            ring = {(i, (i + 1) % n) for i in range(n)}
            chords = {(i, (i + 2) % n) for i in range(n)} if kind else set()
            edges += sorted({(first + min(e), first + max(e)) for e in ring | chords})
        labels.append(f"{g}\t{kind}")
        first += n
    write(f"{folder}/nodes.tsv", nodes)
    write(f"{folder}/edges.tsv", (f"{u}\t{v}" for u, v in edges))
    write(f"{folder}/graph_labels.tsv", labels)
    write(f"{folder}/folds.tsv", (f"{g}\t{g // 2 % 10}" for g in range(n_graphs)))
    return folder


def pairs_folder(folder, n_users=60, n_items=50, seed=3):
    """Users of two tastes, each with items of their half."""
    r = random.Random(seed)
    os.makedirs(folder)
    train, test = [], []
    for user in range(n_users):
        half = [i for i in range(n_items) if i % 2 == user % 2]
        chosen = r.sample(half, 10)
        train.append(" ".join(str(x) for x in [user] + sorted(chosen[:8])))
        test.append(" ".join(str(x) for x in [user] + sorted(chosen[8:])))
    write(f"{folder}/train.txt", train)
    write(f"{folder}/test.txt", test)
    return folder


def prepare(kind, folder, *more):
    data = folder + ".h5"
    good(run("prepare", kind, folder, "-o", data, *more), f"prepare {kind}")
    return data


def config(path, data, body, steps=12, every=6):
    with open(path, "w") as file:
        file.write(QUICK % {"data": data, "body": body, "steps": steps, "every": every})
    return path


# ---- the settings of test_graph_layouts.py

SAMPLED = "sampler: {kind: neighbor, fanout: '4,3'}\nbatch: {size: 23, blocks: 7}"
# name: (data set, keys)
LAYOUT_CASES = {
    "gcn": ("sparse", "model: {kind: gcn, layers: 2, width: 16, dropout: 0.5, activation: relu}\n"
                    "batch: {blocks: 5}"),
    "gcn-dense-metis": ("dense", "model: {kind: gcn, layers: 3, width: 8, dropout: 0.2, drop_edge: 0.2, "
                               "norm: layer, block: residual, activation: relu}\nbatch: {blocks: 7}"),
    "gat": ("sparse", "model: {kind: gat, layers: 2, width: 16, heads: 4, dropout: 0.3, "
                    "attention_dropout: 0.3, activation: elu}\nbatch: {blocks: 5}"),
    "gin-batch": ("dense", "model: {kind: gin, layers: 2, width: 8, norm: batch, activation: relu}\n"
                         "batch: {blocks: 5}"),
    "sage-max": ("dense", "model: {kind: sage, layers: 2, width: 8, aggregator: max, jumping: concat, "
                        "activation: relu}\nbatch: {blocks: 5}"),
    "mlp": ("sparse", "model: {kind: mlp, layers: 2, width: 16, activation: relu}\nbatch: {blocks: 5}"),
    "few-seeds": ("few", "model: {kind: gcn, layers: 2, width: 16, activation: relu}\n"
                       "batch: {blocks: 7}"),
    "sage-sampled": ("dense", "model: {kind: sage, layers: 2, width: 8, dropout: 0.3, "
                            f"activation: relu}}\n{SAMPLED}"),
    "gat-sampled": ("sparse", "model: {kind: gat, layers: 2, width: 8, heads: 2, drop_edge: 0.1, "
                            "attention_dropout: 0.2, activation: elu}\n" + SAMPLED),
    "cluster": ("sparse", "model: {kind: gcn, layers: 2, width: 8, activation: relu}\n"
                        "sampler: {kind: cluster, clusters: 20}\nbatch: {size: 9, blocks: 7}"),
    "gin-set": ("sets", "model: {kind: gin, layers: 3, width: 8, norm: batch, readout: sum, "
                      "dropout: 0.2, activation: relu}\nbatch: {size: 16, blocks: 7}"),
    "lightgcn-metis": ("pairs", "model: {kind: lightgcn, layers: 2, width: 8}\n"
                              "batch: {size: 64, blocks: 5}"),
    "cluster-few": ("eight", "model: {kind: gcn, layers: 2, width: 8, activation: relu}\n"
                         "sampler: {kind: cluster, clusters: 60}\nbatch: {size: 4, blocks: 4}"),
    "lightgcn": ("pairs", "model: {kind: lightgcn, layers: 3, width: 8, drop_edge: 0.1}\n"
                        "batch: {size: 64, blocks: 7}"),
}


def layout_configs(folder):
    """Prepares the data sets and writes the settings: {name: path of its configuration}."""
    data = {
        "sparse": prepare("graph", nodes_folder(f"{folder}/sparse")),
        "dense": prepare("graph", nodes_folder(f"{folder}/dense", sparse=False)),
        "few": prepare("graph", nodes_folder(f"{folder}/few", sparse=False, train=3)),
        "eight": prepare("graph", nodes_folder(f"{folder}/eight", sparse=False, train=8)),
        "sets": prepare("graphs", set_folder(f"{folder}/sets")),
        "pairs": prepare("interactions", pairs_folder(f"{folder}/pairs")),
    }
    paths = {}
    for name, (which, body) in LAYOUT_CASES.items():
        paths[name] = config(f"{folder}/{name}.yaml", data[which], body)
        if name.endswith("metis"):
            with open(paths[name]) as file:
                text = file.read().replace(".h5}", ".h5, partition: metis}")
            with open(paths[name], "w") as file:
                file.write(text)
    return paths
