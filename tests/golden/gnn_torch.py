"""The losses of models on graphs, computed by PyTorch from the same initial weights and data.

    pip install torch h5py numpy
    python gnn_torch.py --trireme PROGRAM -o gnn_losses.csv
    pip install torch_geometric
    python gnn_torch.py --check

Runs every case of gnn_cases.py with the program, for the sake of its initial weights (the step-0
checkpoint), its resolved configuration (the same file) and, where a step does not take the whole
graph, the samples of each step (samples.csv); then trains the same model in float64 on the data set
file. The losses of the run itself are not looked at. tests/golden/make does all of it.

Nothing here is taken from Trireme's sources. Models are written from their papers, with graphs as
dense matrices A[i, j]: the weight of the edge from j to i. --check compares the four layers with
those of PyTorch Geometric.
"""

import argparse
import csv
import glob
import math
import platform
import sys
import tempfile
from collections import defaultdict

import h5py
import numpy as np
import torch
from torch.nn import functional as F

import gnn_cases
from decoder_torch import read_config


# ---- data ----------------------------------------------------------------------------------------


class Graph:
    """A data set file of kind graph or graphs, or the training pairs of one of kind interactions."""

    def __init__(self, path, split):
        with h5py.File(path) as file:
            kind = file.attrs["kind"]
            kind = kind.decode() if isinstance(kind, bytes) else kind
            if kind == "interactions":
                self.read_pairs(file)
                return
            offsets = file["edges/offsets"][...]
            n = len(offsets) - 1
            targets = np.repeat(np.arange(n), np.diff(offsets))
            sources = file["edges/sources"][...]
            self.a = torch.zeros(n, n, dtype=torch.float64)
            weights = file["edges/weights"][...] if "edges/weights" in file else np.ones(len(sources))
            self.a[targets, sources] = torch.from_numpy(weights.astype(np.float64))
            features = file["nodes/features"]
            if isinstance(features, h5py.Dataset):
                x = features[...]
            else:
                x = np.zeros((n, features.attrs["n_features"]))
                rows = np.repeat(np.arange(n), np.diff(features["offsets"][...]))
                x[rows, features["columns"][...]] = features["values"][...]
            self.x = torch.from_numpy(x.astype(np.float64))
            if kind == "graph":
                self.labels = file["nodes/labels"][...]
                self.train = file[f"splits/{split}/train"][...]
            else:
                self.first = file["graphs/offsets"][...]
                self.labels = file["graphs/labels"][...]
                folds = file["graphs/folds"][...]
                n_folds = folds.max() + 1
                held_out = (split, (split + 1) % n_folds)
                self.train = np.flatnonzero(~np.isin(folds, held_out))
        self.labels = torch.from_numpy(self.labels.astype(np.int64))

    def read_pairs(self, file):
        n_items, offsets = int(file.attrs["n_items"]), file["train/offsets"][...]
        self.n_users = len(offsets) - 1
        users = np.repeat(np.arange(self.n_users), np.diff(offsets))
        items = file["train/items"][...].astype(np.int64)
        self.pairs = torch.from_numpy(np.stack([users, items], 1))
        n = self.n_users + n_items
        self.a = torch.zeros(n, n, dtype=torch.float64)
        self.a[users, self.n_users + items] = self.a[self.n_users + items, users] = 1

    def take(self, graphs):
        """(A, x, first row of each graph) of some graphs of a set, side by side; one may come twice,
        where an epoch ends inside a batch."""
        nodes = [slice(self.first[g], self.first[g + 1]) for g in graphs]
        first = np.cumsum([0] + [part.stop - part.start for part in nodes])
        a = torch.block_diag(*(self.a[part, part] for part in nodes))
        return a, torch.cat([self.x[part] for part in nodes]), first


# ---- layers --------------------------------------------------------------------------------------


def symmetric(a, self_loops):
    """D^-1/2 A D^-1/2 with D the sums of rows: Kipf, Welling 2017, equation 2. Edges from a node without
    a degree count nothing, as in PyTorch Geometric."""
    if self_loops:
        a = a + torch.eye(len(a), dtype=a.dtype)
    degrees = a.sum(1)
    scale = torch.where(degrees > 0, torch.where(degrees > 0, degrees, 1) ** -0.5, 0)
    return scale[:, None] * a * scale


def mean(a):
    degrees = a.sum(1, keepdim=True)
    return a / torch.where(degrees > 0, degrees, 1)


def neighbor_max(a, x):
    """Element by element over the neighbours; 0 where there are none."""
    there = (a != 0)[:, :, None]
    y = torch.where(there, x[None], -math.inf).amax(1)
    return torch.where(there.any(1), y, 0)


def attention(a, h, source, target, self_loops):
    """h[n, heads, C], source and target [heads, C]: Velickovic et al. 2018, equations 1 to 4."""
    there = a != 0
    if self_loops:
        there = there | torch.eye(len(a), dtype=torch.bool)
    scores = (h * target).sum(2)[:, None] + (h * source).sum(2)[None]  # [i, j, heads]
    scores = F.leaky_relu(scores, 0.2).masked_fill(~there[:, :, None], -math.inf)
    share = torch.where(there.any(1)[:, None, None], scores, 0).softmax(1) * there[:, :, None]
    return torch.einsum("ijh,jhc->ihc", share, h)


class Net:
    """Any of the families on a dictionary of weights."""

    def __init__(self, config, weights):
        # A resolved configuration has the keys in use: what is not there has no effect.
        self.c = defaultdict(str, {key.partition(".")[2]: value for key, value in config.items()
                                   if key.startswith("model.")})
        self.w = weights
        self.layers, self.kind = int(self.c["layers"]), self.c["kind"]
        self.activation = {
            "relu": F.relu, "elu": F.elu, "gelu": lambda x: F.gelu(x, approximate="tanh"),
        }[self.c["activation"]]
        self.self_loops = self.c["self_loops"] == "true"

    def linear(self, x, name):
        return F.linear(x, self.w[f"{name}/weight"], self.w.get(f"{name}/bias"))

    def norm(self, x, name):
        if self.c["norm"] == "none":
            return x
        weight, bias = self.w[f"{name}/weight"], self.w.get(f"{name}/bias")
        if self.c["norm"] == "layer":
            return F.layer_norm(x, x.shape[-1:], weight, bias, eps=1e-5)
        return F.batch_norm(x, None, None, weight, bias, training=True, eps=1e-5)

    def heads(self, a, x, name):
        source, target = self.w[f"{name}/source"], self.w[f"{name}/target"]
        h = F.linear(x, self.w[f"{name}/weight"]).view(len(x), *source.shape)
        return attention(a, h, source, target, self.self_loops)

    def gin_sum(self, a, x, name):
        return (1 + self.w.get(f"{name}/eps", 0)) * x + a @ x

    def sage_aggregate(self, a, x, name):
        how = self.c["aggregator"]
        if how == "max":
            return neighbor_max(a, F.relu(self.linear(x, f"{name}/pool")))
        return (mean(a) if how == "mean" else a) @ x

    def layer(self, a, x, k, last):
        """A layer as in its paper, without norm and activation after it."""
        name = f"layers/{k}"
        if self.kind == "mlp":
            return self.linear(x, name)
        if self.kind == "gcn":
            x = symmetric(a, self.self_loops) @ F.linear(x, self.w[f"{name}/weight"])
            return x + self.w[f"{name}/bias"]
        if self.kind == "sage":
            neighbors = self.sage_aggregate(a, x, name)
            return self.linear(x, f"{name}/self") + self.linear(neighbors, f"{name}/neighbor")
        if self.kind == "gat":
            x = self.heads(a, x, name)
            return (x.mean(1) if last else x.flatten(1)) + self.w[f"{name}/bias"]
        x = self.linear(self.gin_sum(a, x, name), f"{name}/mlp/hidden")
        return self.linear(self.activation(self.norm(x, f"{name}/mlp/norm")), f"{name}/mlp/out")

    def aggregate(self, a, x, k):
        """What stands in a residual block: Platonov et al. 2023, section 4."""
        name = f"layers/{k}"
        if self.kind == "gcn":
            return symmetric(a, self.self_loops) @ x
        if self.kind == "sage":
            return torch.cat([x, self.sage_aggregate(a, x, name, False)], 1)
        if self.kind == "gat":
            return self.heads(a, x, name, False).flatten(1)
        return self.gin_sum(a, x, name) if self.kind == "gin" else x

    def feed_forward(self, x, name):
        if f"{name}/ff/hidden/weight" in self.w:
            return self.linear(self.activation(self.linear(x, f"{name}/ff/hidden")), f"{name}/ff/out")
        return self.activation(self.linear(x, f"{name}/ff/out"))

    def jump(self, rows):
        """Xu et al. 2018, section 4.1."""
        how = self.c["jumping"]
        if how == "concat":
            return torch.cat(rows, 1)
        return torch.stack(rows).amax(0) if how == "max" else rows[-1]

    def pool(self, x, first):
        how = {"sum": torch.sum, "mean": torch.mean, "max": torch.amax}[self.c["readout"]]
        return torch.stack([how(x[b:e], 0) for b, e in zip(first[:-1], first[1:])])

    def outputs(self, a, x, first):
        readout = self.c["readout"] != "none"
        if self.c["block"] == "residual":
            x, rows = self.activation(self.linear(x, "input", True)), []
            for k in range(self.layers):
                y = self.aggregate(a, self.norm(x, f"layers/{k}/norm"), k)
                x = x + self.feed_forward(y, f"layers/{k}")
                rows.append(x)
            x = self.norm(self.jump(rows), "norm")
            return self.linear(self.pool(x, first) if readout else x, "output")
        rows, ends = [], "output/weight" not in self.w and "scores/0/weight" not in self.w
        for k in range(self.layers - 1 if ends else self.layers):
            h = self.layer(a, rows[-1] if rows else x, k, False)
            rows.append(self.activation(self.norm(h, f"layers/{k}/norm")))
        if ends:
            return self.layer(a, rows[-1] if rows else x, self.layers - 1, True)
        if "scores/0/weight" in self.w:  # Xu et al. 2019, equation 4.2
            scores = [self.linear(self.pool(h, first), f"scores/{k}")
                      for k, h in enumerate([x, *rows])]
            return sum(scores)
        x = self.jump(rows)
        return self.linear(self.pool(x, first) if readout else x, "output")


def lightgcn_loss(config, weights, graph, pairs):
    """He et al. 2020, equations 3, 4 and 15: a mean over the pairs of a batch."""
    e0 = weights["embedding/weight"]
    a, layers = symmetric(graph.a, False), [e0]
    for _ in range(int(config["model.layers"])):
        layers.append(a @ layers[-1])
    e = torch.stack(layers).mean(0)
    users, items = pairs.T
    others = torch.tensor([gnn_cases.left_out(int(user)) for user in users])
    nodes = [users, graph.n_users + items, graph.n_users + others]
    u, p, n = (e[rows] for rows in nodes)
    ranking = -F.logsigmoid((u * p).sum(1) - (u * n).sum(1))
    penalty = sum((e0[rows] ** 2).sum(1) for rows in nodes)
    return (ranking + float(config["optimizer.l2"]) / 2 * penalty).mean()


# ---- training ------------------------------------------------------------------------------------


def read_weights(file):
    """{"layers/0/weight": leaf tensor}; running statistics, which nothing here needs, are left out."""
    weights = {}

    def visit(name, item):
        if isinstance(item, h5py.Dataset) and name.rpartition("/")[2] not in ("mean", "variance"):
            weights[name] = torch.tensor(item[...], dtype=torch.float64, requires_grad=True)

    file["model"].visititems(visit)
    return weights


def make_optimizer(config, weights):
    first = config.get("optimizer.decay_scope") == "first"
    decays = [w.dim() >= 2 and (not first or name.startswith(("layers/0/", "input/")))
              for name, w in weights.items()]
    groups = [
        {"params": [w for w, d in zip(weights.values(), decays) if d],
         "weight_decay": float(config["optimizer.weight_decay"])},
        {"params": [w for w, d in zip(weights.values(), decays) if not d], "weight_decay": 0.0},
    ]
    make = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[config["optimizer.name"]]
    return make(groups, betas=(float(config["optimizer.beta1"]), float(config["optimizer.beta2"])),
                eps=float(config["optimizer.eps"]))


def learning_rate(config, step):
    """Of update `step`, counted from 0."""
    base, name = float(config["optimizer.lr"]), config["schedule.name"]
    if int(config["schedule.warmup_steps"]) != 0 or name not in ("constant", "step"):
        sys.exit("only constant and halved learning rates without a warm-up are written down here")
    return base if name == "constant" else base * 0.5 ** (step // int(config["schedule.step_every"]))


def make_loss(config, weights, graph):
    """The loss as a function of a step's sample ids."""
    if config["model.kind"] == "lightgcn":
        return lambda ids: lightgcn_loss(config, weights, graph, graph.pairs[ids % len(graph.pairs)])
    net = Net(config, weights)

    def of_nodes(ids):
        outputs = net.outputs(graph.a, graph.x, None)
        return F.cross_entropy(outputs[graph.train], graph.labels[graph.train])

    def of_graphs(ids):
        graphs = graph.train[ids % len(graph.train)]
        return F.cross_entropy(net.outputs(*graph.take(graphs)), graph.labels[graphs])

    return of_graphs if config["model.readout"] != "none" else of_nodes


def train(config, weights, graph, samples):
    """[(loss before the update, norm of the gradient before clipping)] of every step."""
    loss_of = make_loss(config, weights, graph)
    optimizer = make_optimizer(config, weights)
    clip_norm = float(config["optimizer.clip_norm"]) or math.inf
    rows = []
    for step, ids in enumerate(samples):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(config, step)
        optimizer.zero_grad()
        loss = loss_of(ids)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(weights.values(), clip_norm)
        optimizer.step()
        rows.append((loss.item(), norm.item()))
    return rows


def compute(run, data):
    """Losses and norms of what a run has computed."""
    checkpoint, = glob.glob(f"{run}/checkpoints/step_00000000.h5")
    with open(f"{run}/samples.csv") as file:
        samples = [np.array(row["samples"].split(), dtype=np.int64) for row in csv.DictReader(file)]
    with h5py.File(checkpoint) as file:
        text = file["run"].attrs["config_text"]
        config = read_config(text.decode() if isinstance(text, bytes) else text)
        weights = read_weights(file)
    for key in ("model.dropout", "model.attention_dropout", "model.drop_edge"):
        if float(config.get(key, 0)) != 0:  # a resolved configuration has the keys in use alone
            sys.exit(f"{key} must be 0: no two programs draw the same masks")
    return train(config, weights, Graph(data, int(config.get("data.split", 0))), samples)


# ---- against PyTorch Geometric -------------------------------------------------------------------


def check_layers():
    """The four layers on a random directed graph with weights, self-loops and nodes on their own."""
    import torch_geometric
    from torch_geometric.nn import GATConv, GCNConv, GINConv, SAGEConv

    torch.set_default_dtype(torch.float64)
    torch.manual_seed(1)
    n = 30
    a = torch.rand(n, n) * (torch.rand(n, n) < 0.12)
    a[-1] = a[:, -1] = 0
    a.fill_diagonal_(0)
    x = torch.randn(n, 6)
    target, source = a.nonzero(as_tuple=True)
    edges, values = torch.stack([source, target]), a[target, source]

    def compare(name, ours, theirs):
        error = (ours - theirs).abs().max().item()
        print(f"{name}: largest difference {error:.1e}")
        if error > 1e-12:
            sys.exit(f"{name} differs from PyTorch Geometric {torch_geometric.__version__}")

    def net(kind, weights, **keys):
        config = dict(layers="2", kind=kind, activation="relu", self_loops="true", norm="none",
                      aggregator="mean") | keys
        return Net({f"model.{key}": value for key, value in config.items()}, weights)

    with torch.no_grad():
        peer = GCNConv(6, 5)
        peer.bias.normal_()
        ours = net("gcn", {"layers/0/weight": peer.lin.weight, "layers/0/bias": peer.bias})
        compare("gcn", ours.layer(a, x, 0, False), peer(x, edges, values))
        for how in ("mean", "max", "sum"):
            peer = SAGEConv(6, 6, aggr=how, project=how == "max")
            weights = {"layers/0/self/weight": peer.lin_r.weight, "layers/0/self/bias": peer.lin_l.bias,
                       "layers/0/neighbor/weight": peer.lin_l.weight}
            if how == "max":
                weights |= {"layers/0/pool/weight": peer.lin.weight, "layers/0/pool/bias": peer.lin.bias}
            ours = net("sage", weights, aggregator=how)
            compare(f"sage {how}", ours.layer((a != 0).double(), x, 0, False), peer(x, edges))
        for concat in (True, False):
            peer = GATConv(6, 4, heads=3, concat=concat)
            peer.bias.normal_()
            ours = net("gat", {"layers/0/weight": peer.lin.weight, "layers/0/bias": peer.bias,
                               "layers/0/source": peer.att_src[0], "layers/0/target": peer.att_dst[0]})
            compare("gat" if concat else "gat, mean of heads", ours.layer(a, x, 0, not concat), peer(x, edges))
        mlp = torch.nn.Sequential(torch.nn.Linear(6, 5), torch.nn.ReLU(), torch.nn.Linear(5, 4))
        peer = GINConv(mlp, eps=0.3)
        ours = net("gin", {"layers/0/mlp/hidden/weight": mlp[0].weight, "layers/0/mlp/hidden/bias": mlp[0].bias,
                           "layers/0/mlp/out/weight": mlp[2].weight, "layers/0/mlp/out/bias": mlp[2].bias,
                           "layers/0/eps": torch.tensor([0.3])})
        compare("gin", ours.layer((a != 0).double(), x, 0, False), peer(x, edges))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trireme", help="the program")
    parser.add_argument("--cases", help="only these")
    parser.add_argument("-o", "--output", help="CSV file to write")
    parser.add_argument("--check", action="store_true", help="only compare layers with PyTorch Geometric")
    args = parser.parse_args()

    torch.set_num_threads(1)
    if args.check:
        check_layers()
        return
    if not args.trireme or not args.output:
        parser.error("give --trireme PROGRAM and -o FILE, or --check")
    cases = args.cases.split(",") if args.cases else list(gnn_cases.CASES)
    with tempfile.TemporaryDirectory(prefix="trireme-golden-") as folder, open(args.output, "w") as out:
        data = gnn_cases.prepare(args.trireme, folder)
        out.write("# Losses (nats a sample) computed by tests/golden/gnn_torch.py in float64, not by Trireme.\n")
        out.write(f"# torch {torch.__version__}, numpy {np.__version__}, h5py {h5py.__version__}, "
                  f"Python {platform.python_version()}, {platform.machine()}\n")
        out.write("case,step,loss,grad_norm\n")
        for name in cases:
            run = gnn_cases.train([], args.trireme, folder, data, name, name)
            rows = compute(run, data[gnn_cases.CASES[name][0]])
            for step, (loss, norm) in enumerate(rows, start=1):
                out.write(f"{name},{step},{loss:.12g},{norm:.12g}\n")


if __name__ == "__main__":
    main()
