"""The runs of models on graphs whose losses PyTorch has computed too: data and configurations.

Data are text, made here from random.random(), which gives the same numbers in every version of
Python; `trireme prepare` turns them into data sets. Only the standard library is needed.
"""

import os
import random
import subprocess

# name: (kind of data set, options of prepare)
DATA = {
    "weighted": ("graph", []),  # edges with weights, both ways; dense features
    "directed": ("graph", ["--directed"]),  # edges as they are; sparse features
    "set": ("graphs", []),
    "pairs": ("interactions", []),
}

COMMON = """\
run: {{ seed: {seed} }}
eval: {{ every: 0, at_end: false }}
checkpoint: {{ every: 0, initial: true }}
log: {{ every: 1, samples: true, tensorboard: false }}
train: {{ steps: 20 }}
"""
ADAM = """\
optimizer: { name: adam, lr: 0.01, beta1: 0.9, beta2: 0.999, weight_decay: 5e-3, clip_norm: 0, decay_scope: all }
schedule: { name: constant, warmup_steps: 0 }
"""
ADAM_FIRST = ADAM.replace("decay_scope: all", "decay_scope: first")
# Halved after 8 and 16 steps; most gradients are clipped.
ADAMW = """\
optimizer: { name: adamw, lr: 0.01, beta1: 0.9, beta2: 0.99, weight_decay: 0.1, clip_norm: 0.2 }
schedule: { name: step, warmup_steps: 0, step_every: 8 }
"""
PLAIN_ADAM = ADAM.replace("weight_decay: 5e-3", "weight_decay: 0")

# name: (data, model, rest). Widths are odd where heads allow it, and differ from the features (7 and
# 11), so that linear maps come before sums in some layers and after them in others.
CASES = {
    "gcn": ("weighted", "kind: gcn, layers: 2, width: 5, activation: relu", ADAM_FIRST),
    "gcn-wide": ("directed", "kind: gcn, layers: 3, width: 13, activation: elu, norm: layer, jumping: max", ADAMW),
    "gcn-residual": ("directed", "kind: gcn, layers: 3, width: 9, activation: gelu, block: residual, norm: layer, "
                     "feed_forward: true, jumping: concat, self_loops: false", ADAMW),
    "sage-mean": ("weighted", "kind: sage, layers: 2, width: 9, activation: relu", ADAM),
    "sage-sparse": ("directed", "kind: sage, layers: 2, width: 5, activation: relu, norm: batch", ADAM_FIRST),
    "sage-max": ("weighted", "kind: sage, layers: 2, width: 9, activation: relu, aggregator: max", ADAM),
    "sage-residual": ("weighted", "kind: sage, layers: 2, width: 7, activation: gelu, block: residual, norm: batch, "
                      "aggregator: sum", ADAMW),
    "gat": ("directed", "kind: gat, layers: 2, heads: 3, width: 15, out_heads: 2, activation: elu", ADAM),
    "gat-residual": ("weighted", "kind: gat, layers: 2, heads: 2, width: 10, activation: gelu, block: residual, "
                     "norm: layer, feed_forward: true, self_loops: false", ADAMW),
    "gin": ("weighted", "kind: gin, layers: 2, width: 9, activation: relu, norm: layer, eps_trained: true", ADAM),
    "gin-set": ("set", "kind: gin, layers: 3, width: 9, activation: relu, norm: batch, readout: sum",
                ADAM.replace("lr: 0.01", "lr: 0.002")),  # more would blow rounding up
    "gcn-set": ("set", "kind: gcn, layers: 2, width: 9, activation: relu, readout: mean, jumping: concat", ADAM_FIRST),
    "mlp": ("directed", "kind: mlp, layers: 3, width: 9, activation: relu, norm: batch", ADAMW),
    "lightgcn": ("pairs", "kind: lightgcn, layers: 3, width: 7",
                 PLAIN_ADAM.replace("name: adam", "l2: 1e-2, name: adam").replace(", decay_scope: all", "")),
}
BATCHES = {  # one block: batch normalisation takes its statistics from a block
    "set": "batch: { size: 7, blocks: 1 }\n",  # does not divide the 24 graphs of an epoch
    "pairs": "batch: { size: 10, blocks: 3 }\n",
    "weighted": "batch: { blocks: 1 }\n",
    "directed": "batch: { blocks: 1 }\n",
}
# Without batch normalisation the graph may be cut into blocks.
CUT = {"gcn": 3, "gcn-residual": 4, "sage-max": 3, "gat": 4, "gin": 3}


def write(folder, name, rows):
    with open(os.path.join(folder, name), "w") as file:
        file.writelines("\t".join(str(x) for x in row) + "\n" for row in rows)


def below(r, n):
    return int(r.random() * n)


def split(r, folder, ids):
    parts = [[], [], []]
    for i in ids:
        parts[(0, 0, 0, 1, 2)[below(r, 5)]].append(i)
    for name, part in zip(("train", "val", "test"), parts):
        write(folder, f"{name}.txt", ([i] for i in part))


def make_weighted(folder):
    """60 nodes in 3 classes, the last without edges; 4 without a label; 7 features."""
    r, n = random.Random(11), 60
    pairs = sorted({tuple(sorted((below(r, n - 1), below(r, n - 1)))) for _ in range(150)})
    write(folder, "edges.tsv", ((u, v, f"{0.25 + 2 * r.random():.3f}") for u, v in pairs if u != v))
    write(folder, "features_dense.tsv", ([f"{2 * r.random() - 1:.4f}" for _ in range(7)] for _ in range(n)))
    labelled = [i for i in range(n) if i % 15 != 3]
    write(folder, "labels.tsv", ((i, below(r, 3)) for i in labelled))
    split(r, folder, labelled)


def make_directed(folder):
    """60 nodes in 4 classes, the last without edges; 11 sparse features, one node without any."""
    r, n = random.Random(12), 60
    pairs = sorted({(below(r, n - 1), below(r, n - 1)) for _ in range(240)})
    write(folder, "edges.tsv", ((u, v) for u, v in pairs if u != v))
    rows = []
    for i in range(n):
        columns = sorted({below(r, 11) for _ in range(3)}) if i != 20 else []
        rows += [(i, c, f"{0.5 + r.random():.3f}") for c in columns]
    write(folder, "features.tsv", rows)
    write(folder, "labels.tsv", ((i, below(r, 4)) for i in range(n)))
    split(r, folder, range(n))


def make_set(folder):
    """32 graphs of 1 to 9 nodes in 3 classes, 8 folds; 4 kinds of nodes, 2 attributes."""
    r = random.Random(13)
    nodes, edges, classes, first = [], [], [], 0
    for g in range(32):
        n = 1 + below(r, 9)
        nodes += [(first + i, g, below(r, 4)) for i in range(n)]
        edges += sorted({(first + below(r, i), first + i) for i in range(1, n) for _ in range(2)})
        classes.append((g, below(r, 3)))
        first += n
    write(folder, "nodes.tsv", nodes)
    write(folder, "edges.tsv", edges)
    write(folder, "graph_labels.tsv", classes)
    write(folder, "folds.tsv", ((g, g % 8) for g in range(32)))
    write(folder, "node_attributes.tsv", ([f"{4 * r.random() - 1:.4f}" for _ in range(2)] for _ in nodes))


PAIRS_ITEMS = 7


def left_out(user):
    """The one item that a user has not chosen, and so the only one to be drawn against the others."""
    return (3 * user + user // 4) % PAIRS_ITEMS


def make_pairs(folder):
    """9 users who have chosen all items but one, which is what they are tested with."""
    with open(os.path.join(folder, "train.txt"), "w") as train, open(os.path.join(folder, "test.txt"), "w") as test:
        for user in range(9):
            chosen = [item for item in range(PAIRS_ITEMS) if item != left_out(user)]
            print(user, *chosen, file=train)
            print(user, left_out(user), file=test)


def run(command):
    """What a command that must succeed prints."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}\nended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def prepare(program, folder):
    """Writes the text of all data sets and makes the data sets: {name: path}."""
    paths = {}
    for name, (kind, options) in DATA.items():
        text = os.path.join(folder, name)
        os.mkdir(text)
        globals()[f"make_{name}"](text)
        paths[name] = f"{text}.h5"
        run([program, "prepare", kind, text, "-o", paths[name], *options])
    return paths


def batch_line(name):
    if name in CUT:
        return f"batch: {{ blocks: {CUT[name]} }}\n"
    return BATCHES[CASES[name][0]]


def train(launcher, program, folder, data, name, out):
    """Runs a case; the run is in the folder that is returned."""
    data_name, model, rest = CASES[name]
    config = os.path.join(folder, f"{out}.yaml")
    with open(config, "w") as file:
        file.write(f"model: {{ {model} }}\n" + batch_line(name) + rest + COMMON.format(seed=3))
    path = os.path.join(folder, out)
    run([*launcher, program, "train", config, "--set", f"data.path={data[data_name]}", "--set", f"run.dir={path}"])
    return path
