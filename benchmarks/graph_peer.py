"""Graph models trained with PyTorch and PyTorch Geometric: the peer that Trireme is timed against.

    pip install torch torch_geometric h5py scipy numpy
    pip install --no-build-isolation torch-scatter torch-sparse     # builds them, a quarter of an hour
    python graph_peer.py gcn cora.h5 --hidden 16
    python graph_peer.py sage coauthor-cs.h5
    python graph_peer.py lightgcn gowalla.h5

Reads Trireme's data sets (data/FORMAT.md), so that both sides have the same graph, features and seeds.
A peer that is slower than it need be proves nothing: each program knows several ways to do its work,
tries all of them for a few steps (--variant all, the default), and then times the fastest. One line of
JSON tells all figures. float32; --threads cores.

Without torch-sparse, variants that need it are left out and NeighborLoader cannot work (it needs
pyg-lib or torch-sparse); `own` is then the only sampler: uniform, without replacement, written with
numpy on the rows of a whole hop at once.
"""

import argparse
import functools
import json
import math
import os
import resource
import statistics
import sys
import time
import warnings

warnings.filterwarnings("ignore")

import h5py
import numpy as np
import scipy.sparse
import torch
import torch_geometric
from torch import nn
from torch.nn import functional as F
from torch_geometric.nn import GCNConv, SAGEConv
from torch_geometric.nn.conv.gcn_conv import gcn_norm

try:
    import torch_sparse
except ImportError:
    torch_sparse = None


# ---- data ----------------------------------------------------------------------------------------


class Data:
    """A data set of kind graph: rows by destination, features as a scipy matrix or an array."""

    def __init__(self, path):
        with h5py.File(path) as file:
            self.offsets = file["edges/offsets"][...].astype(np.int64)
            self.sources = file["edges/sources"][...].astype(np.int64)
            self.n = len(self.offsets) - 1
            features = file["nodes/features"]
            if isinstance(features, h5py.Dataset):
                self.x = features[...].astype(np.float32)
            else:
                columns = features["columns"][...]
                values = features["values"][...] if "values" in features else np.ones(len(columns))
                shape = (self.n, int(features.attrs["n_features"]))
                self.x = scipy.sparse.csr_matrix(
                    (values.astype(np.float32), columns, features["offsets"][...]), shape=shape)
            self.y = torch.from_numpy(file["nodes/labels"][...].astype(np.int64))
            self.train = torch.from_numpy(file["splits/0/train"][...].astype(np.int64))
        self.n_classes = int(self.y.max()) + 1
        self.n_features = self.x.shape[1]
        self.sparse = scipy.sparse.issparse(self.x)
        targets = np.repeat(np.arange(self.n), np.diff(self.offsets))
        self.edges = torch.from_numpy(np.stack([self.sources, targets]))

    def dense(self):
        return torch.from_numpy(self.x.toarray() if self.sparse else self.x)


def csr_tensor(matrix):
    matrix = matrix.tocsr()
    return torch.sparse_csr_tensor(
        torch.from_numpy(matrix.indptr.astype(np.int64)), torch.from_numpy(matrix.indices.astype(np.int64)),
        torch.from_numpy(matrix.data.astype(np.float32)), matrix.shape)


class SparseProduct(torch.autograd.Function):
    """A x, whose gradient is A^T dy with a transpose that is at hand."""

    @staticmethod
    def forward(ctx, a, a_transposed, x):
        ctx.a_transposed = a_transposed
        return a @ x

    @staticmethod
    def backward(ctx, dy):
        return None, None, ctx.a_transposed @ dy.contiguous()


class SparseRows:
    """Sparse features with their transpose, and dropout of the stored values."""

    def __init__(self, x):
        self.x = csr_tensor(x)
        marked = scipy.sparse.csr_matrix((np.arange(x.nnz) + 1, x.indices, x.indptr), shape=x.shape)
        marked = marked.T.tocsr()
        self.transposed = csr_tensor(marked)
        self.order = torch.from_numpy(marked.data.astype(np.int64) - 1)

    def product(self, w, dropout):
        values = F.dropout(self.x.values(), dropout)
        a = torch.sparse_csr_tensor(self.x.crow_indices(), self.x.col_indices(), values, self.x.shape)
        t = self.transposed
        t = torch.sparse_csr_tensor(t.crow_indices(), t.col_indices(), values[self.order], t.shape)
        return SparseProduct.apply(a, t, w)


# ---- timing --------------------------------------------------------------------------------------


def fused_adam(parameters, args, weight_decay=0.0):
    return torch.optim.Adam(parameters, lr=args.lr, weight_decay=weight_decay, fused=True)


def spread(values):
    return {"least": min(values), "median": statistics.median(values), "greatest": max(values)}


def take_steps(step, n):
    seconds = []
    for _ in range(n):
        started = time.perf_counter()
        loss = step()
        seconds.append(time.perf_counter() - started)
    if not math.isfinite(float(loss)):
        sys.exit("the loss is not finite")
    return seconds


def measure(args, variants):
    """variants: {name: function that makes a step, a function of nothing that trains once}. All are
    tried for --warmup steps and a tenth of --steps, on --threads threads and on one, which suits small
    steps and a machine with other work better; the fastest is then timed."""
    tried = {}
    names = list(variants) if args.variant == "all" else args.variant.split(";")
    if unknown := [name for name in names if name not in variants]:
        sys.exit(f"graph_peer: no variant {unknown[0]} here; there are " + "; ".join(variants))

    def start(name, threads):
        torch.set_num_threads(threads)
        torch.manual_seed(1)
        step = variants[name]()
        take_steps(step, args.warmup)
        return step

    def attempt(name, threads):
        return statistics.median(take_steps(start(name, threads), max(3, args.steps // 10)))

    best, threads = names[0], args.threads
    if len(names) > 1:
        ways = [(name, n) for name in names for n in sorted({1, args.threads})]
        times = {way: attempt(*way) for way in ways}
        best, threads = min(times, key=times.get)
        tried = {f"{name}, {n} thread{'s' * (n > 1)}": seconds for (name, n), seconds in times.items()}
    seconds = take_steps(start(best, threads), args.steps)
    return {"variant": best, "threads": threads, "step_s": spread(seconds), "tried_s": tried}


# ---- full-batch GCN ------------------------------------------------------------------------------


class PygGcn(nn.Module):
    """Two GCNConv as in PyTorch Geometric's example."""

    def __init__(self, data, hidden, dropout, cached=True, normalize=True):
        super().__init__()
        self.first = GCNConv(data.n_features, hidden, cached=cached, normalize=normalize)
        self.second = GCNConv(hidden, data.n_classes, cached=cached, normalize=normalize)
        self.dropout = dropout

    def forward(self, x, *graph):
        x = F.dropout(x, self.dropout, self.training)
        x = F.dropout(self.first(x, *graph).relu(), self.dropout, self.training)
        return self.second(x, *graph)


class SparseGcn(nn.Module):
    """The same written by hand: sparse features, and products with a symmetric matrix."""

    def __init__(self, data, hidden, dropout, adjacency, features):
        super().__init__()
        self.first = nn.Parameter(torch.empty(data.n_features, hidden))
        self.second = nn.Parameter(torch.empty(hidden, data.n_classes))
        self.biases = nn.ParameterList([torch.zeros(hidden), torch.zeros(data.n_classes)])
        for w in (self.first, self.second):
            nn.init.xavier_uniform_(w)
        self.adjacency, self.features, self.dropout = adjacency, features, dropout

    def propagate(self, x):
        return SparseProduct.apply(self.adjacency, self.adjacency, x)

    def forward(self):
        if isinstance(self.features, SparseRows):
            x = self.features.product(self.first, self.dropout)
        else:
            x = F.dropout(self.features, self.dropout) @ self.first
        x = F.dropout((self.propagate(x) + self.biases[0]).relu(), self.dropout)
        return self.propagate(x @ self.second) + self.biases[1]


def gcn(args):
    data = Data(args.data)
    edges, values = gcn_norm(data.edges, None, data.n, add_self_loops=True)
    a = scipy.sparse.csr_matrix((values.numpy(), (edges[1].numpy(), edges[0].numpy())), shape=(data.n, data.n))
    if abs(a - a.T).max() > 1e-6:
        sys.exit("graph_peer: the graph must have both directions of every edge")

    def stepper(model, *inputs):
        optimizer = fused_adam(model.parameters(), args, 5e-4)
        labels = data.y[data.train]

        def step():
            optimizer.zero_grad(set_to_none=True)
            loss = F.cross_entropy(model(*inputs)[data.train], labels)
            loss.backward()
            optimizer.step()
            return loss.detach()

        return step

    def pyg(*graph, **keys):
        return lambda: stepper(PygGcn(data, args.hidden, args.dropout, **keys), data.dense(), *graph)

    variants = {
        "GCNConv, edge list": pyg(data.edges),
        "GCNConv, torch CSR": pyg(csr_tensor(a), normalize=False, cached=False),
        "by hand, dense features": lambda: stepper(
            SparseGcn(data, args.hidden, args.dropout, csr_tensor(a), data.dense())),
    }
    if torch_sparse:
        adjacency = torch_sparse.SparseTensor(row=data.edges[1], col=data.edges[0], sparse_sizes=(data.n, data.n))
        variants["GCNConv, torch-sparse"] = pyg(adjacency)
    if data.sparse:
        variants["by hand, sparse features"] = lambda: stepper(
            SparseGcn(data, args.hidden, args.dropout, csr_tensor(a), SparseRows(data.x)))
    return measure(args, variants)


# ---- GraphSAGE on sampled neighbours -------------------------------------------------------------


class Sage(nn.Module):
    def __init__(self, data, hidden, dropout):
        super().__init__()
        self.first = SAGEConv(data.n_features, hidden)
        self.second = SAGEConv(hidden, data.n_classes)
        self.dropout = dropout

    def forward(self, x, edges):
        x = F.dropout(self.first(x, edges).relu(), self.dropout, self.training)
        return self.second(x, edges)


class LayeredSage(nn.Module):
    """The same on one sparse matrix a hop, computing only the rows that are needed."""

    def __init__(self, data, hidden, dropout):
        super().__init__()
        self.own = nn.ModuleList([nn.Linear(data.n_features, hidden), nn.Linear(hidden, data.n_classes)])
        self.neighbor = nn.ModuleList([nn.Linear(l.in_features, l.out_features, bias=False) for l in self.own])
        self.dropout = dropout

    def forward(self, x, hops):
        for k, (own, neighbor, (a, a_transposed)) in enumerate(zip(self.own, self.neighbor, hops)):
            n = a.shape[0]
            if isinstance(x, SparseRows):
                both = x.product(torch.cat([own.weight, neighbor.weight]).T, 0.0)
                mine, theirs = both[:n, :own.out_features], both[:, own.out_features:].contiguous()
                x = mine + own.bias + SparseProduct.apply(a, a_transposed, theirs)
            else:
                x = own(x[:n]) + neighbor(SparseProduct.apply(a, a_transposed, x))
            if k == 0:
                x = F.dropout(x.relu(), self.dropout, self.training)
        return x


def sample_hop(rng, data, targets, fanout, place):
    """Up to `fanout` different neighbours of every target: (matrix of means, sources)."""
    begin, degree = data.offsets[targets], data.offsets[targets + 1] - data.offsets[targets]
    few = np.minimum(degree, fanout)
    picks = np.empty((len(targets), fanout), np.int64)
    small = degree <= fanout
    picks[small] = np.arange(fanout)
    large = ~small
    # Floyd's sampling of `fanout` of `degree`, all targets at once
    d = degree[large]
    chosen = np.empty((len(d), fanout), np.int64)
    for k in range(fanout):
        last = d - fanout + k
        draw = (rng.random(len(d)) * (last + 1)).astype(np.int64)
        taken = (chosen[:, :k] == draw[:, None]).any(1)
        chosen[:, k] = np.where(taken, last, draw)
    picks[large] = chosen
    mask = np.arange(fanout) < few[:, None]
    neighbors = data.sources[(begin[:, None] + picks)[mask]]
    new = np.unique(neighbors[place[neighbors] < 0])
    place[new] = len(targets) + np.arange(len(new))
    sources = np.concatenate([targets, new])
    offsets = np.concatenate([[0], np.cumsum(few)])
    weights = np.repeat(1 / np.maximum(few, 1), few).astype(np.float32)
    a = scipy.sparse.csr_matrix((weights, place[neighbors], offsets), shape=(len(targets), len(sources)))
    return a, sources


def own_batches(args, data, features):
    """Endless batches: features of the sources, hops, labels."""
    rng, place = np.random.default_rng(1), np.full(data.n, -1)
    train = data.train.numpy()
    while True:
        order = rng.permutation(train)
        for k in range(0, len(order) - args.batch + 1, args.batch):
            nodes, hops = order[k:k + args.batch], []
            seeds = nodes
            place[nodes] = np.arange(len(nodes))
            for _ in range(2):
                a, nodes = sample_hop(rng, data, nodes, args.fanout, place)
                hops.append((csr_tensor(a), csr_tensor(a.T)))
            place[nodes] = -1
            yield features(nodes), hops[::-1], data.y[torch.from_numpy(seeds)]


def sage(args):
    data = Data(args.data)
    if len(data.train) < args.batch:
        sys.exit(f"graph_peer: {len(data.train)} seeds are less than a batch of {args.batch}; see widen")

    def stepper(model, batches, forward):
        optimizer = fused_adam(model.parameters(), args)

        def step():
            batch = next(batches)
            optimizer.zero_grad(set_to_none=True)
            loss = forward(model, batch)
            loss.backward()
            optimizer.step()
            return loss.detach()

        return step

    def own(features):
        def forward(model, batch):
            x, hops, labels = batch
            return F.cross_entropy(model(x, hops), labels)

        return lambda: stepper(LayeredSage(data, args.hidden, args.dropout),
                               own_batches(args, data, features), forward)

    @functools.cache
    def dense():  # only where it is used: the memory of the others is told too
        return data.dense()

    variants = {"own sampler, dense features": own(lambda nodes: dense()[torch.from_numpy(nodes)])}
    if data.sparse:
        variants["own sampler, sparse features"] = own(lambda nodes: SparseRows(data.x[nodes]))
    if torch_sparse or torch_geometric.typing.WITH_PYG_LIB:
        from torch_geometric.data import Data as PygData
        from torch_geometric.loader import NeighborLoader

        def endless(workers):
            whole = PygData(x=dense(), edge_index=data.edges, y=data.y)
            loader = NeighborLoader(whole, [args.fanout] * 2, input_nodes=data.train, batch_size=args.batch,
                                    shuffle=True, drop_last=True, num_workers=workers,
                                    persistent_workers=workers > 0)
            while True:
                yield from loader

        def forward(model, batch):
            n = batch.batch_size
            return F.cross_entropy(model(batch.x, batch.edge_index)[:n], batch.y[:n])

        for workers in (0, 1, 2):
            variants[f"NeighborLoader, {workers} workers"] = lambda workers=workers: stepper(
                Sage(data, args.hidden, args.dropout), endless(workers), forward)
    result = measure(args, variants)
    result["seeds_per_s"] = args.batch / result["step_s"]["median"]
    return result


# ---- LightGCN ------------------------------------------------------------------------------------


def lightgcn(args):
    """He et al. 2020, arXiv:2002.02126, written from the paper."""
    with h5py.File(args.data) as file:
        n_items = int(file.attrs["n_items"])
        offsets, items = file["train/offsets"][...], file["train/items"][...].astype(np.int64)
    n_users = len(offsets) - 1
    users = np.repeat(np.arange(n_users), np.diff(offsets))
    n = n_users + n_items
    a = scipy.sparse.csr_matrix((np.ones(len(users)), (users, n_users + items)), shape=(n, n))
    a = a + a.T
    scale = scipy.sparse.diags(1 / np.sqrt(np.maximum(np.asarray(a.sum(1)).ravel(), 1)))
    a = csr_tensor(scale @ a @ scale)
    keys = torch.from_numpy(users * n_items + items)  # rising
    users, items = torch.from_numpy(users), torch.from_numpy(items)

    def negatives(of):
        drawn = torch.randint(n_items, of.shape)
        while True:
            wanted = of * n_items + drawn
            at = torch.searchsorted(keys, wanted).clamp_(max=len(keys) - 1)
            bad = (keys[at] == wanted).nonzero().flatten()
            if len(bad) == 0:
                return drawn
            drawn[bad] = torch.randint(n_items, bad.shape)

    def batches():
        while True:
            order = torch.randperm(len(users))
            for k in range(0, len(order), args.batch):
                ids = order[k:k + args.batch]
                yield users[ids], items[ids], negatives(users[ids])

    def stepper(propagate):
        e0 = nn.Parameter(torch.randn(n, args.hidden) * 0.1)
        optimizer, stream = fused_adam([e0], args), batches()

        def step():
            u, p, q = next(stream)
            layers = [e0]
            for _ in range(args.layers):
                layers.append(propagate(layers[-1]))
            e = sum(layers) / len(layers)
            nodes = torch.cat([u, n_users + p, n_users + q])
            eu, ep, eq = e[nodes].split([len(u), len(p), len(q)])
            ranking = F.softplus((eu * eq).sum(1) - (eu * ep).sum(1)).mean()
            loss = ranking + 1e-4 / 2 * e0[nodes].square().sum() / len(u)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            return loss.detach()

        return step

    coo = a.to_sparse_coo().coalesce()
    variants = {
        "CSR": lambda: stepper(lambda x: SparseProduct.apply(a, a, x)),  # it is its own transpose
        "CSR, automatic gradient": lambda: stepper(lambda x: torch.sparse.mm(a, x)),
        "COO": lambda: stepper(lambda x: torch.sparse.mm(coo, x)),
    }
    result = measure(args, variants)
    steps = math.ceil(len(users) / args.batch)
    return result | {"steps_an_epoch": steps, "epoch_s": steps * result["step_s"]["median"]}


# ---- command line --------------------------------------------------------------------------------


def widen(source, target, share=0.8):
    """Copies a data set with one split in which the first `share` of a random order trains."""
    with h5py.File(source) as old, h5py.File(target, "w") as new:
        for key, value in old.attrs.items():
            new.attrs[key] = value
        for name in old:
            if name != "splits":
                old.copy(name, new)
        labelled = np.flatnonzero(old["nodes/labels"][...] >= 0)
        order = np.random.default_rng(1).permutation(labelled)
        cut = int(share * len(order))
        for name, ids in (("train", order[:cut]), ("valid", order[cut:cut + cut // 8]),
                          ("test", order[cut + cut // 8:])):
            new[f"splits/0/{name}"] = np.sort(ids).astype(np.int32)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("task", choices=["gcn", "sage", "lightgcn", "widen"])
    parser.add_argument("data", help="data set made by `trireme prepare`")
    parser.add_argument("target", nargs="?", help="widen: the copy, in which four nodes of five train")
    parser.add_argument("--hidden", type=int, help="default: 16, sage 128, lightgcn 64")
    parser.add_argument("--layers", type=int, default=3, help="lightgcn")
    parser.add_argument("--batch", type=int, help="default: sage 512, lightgcn 2048")
    parser.add_argument("--fanout", type=int, default=10, help="sage, of both hops")
    parser.add_argument("--dropout", type=float, default=0.5, help="gcn and sage")
    parser.add_argument("--lr", type=float, default=0.01)
    parser.add_argument("--steps", type=int, default=100, help="timed")
    parser.add_argument("--warmup", type=int, default=10, help="steps before them")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--variant", default="all", help="names with ; between them, or all")
    args = parser.parse_args()
    if args.task == "widen":
        widen(args.data, args.target)
        return
    args.hidden = args.hidden or {"gcn": 16, "sage": 128, "lightgcn": 64}[args.task]
    args.batch = args.batch or {"gcn": 0, "sage": 512, "lightgcn": 2048}[args.task]
    started = time.perf_counter()
    result = {"gcn": gcn, "sage": sage, "lightgcn": lightgcn}[args.task](args)
    result |= {
        "task": args.task, "seconds": time.perf_counter() - started,
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6,
        "torch": torch.__version__, "torch_geometric": torch_geometric.__version__,
        "torch_sparse": torch_sparse.__version__ if torch_sparse else None,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
