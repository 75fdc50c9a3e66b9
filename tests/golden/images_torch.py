"""The losses of models on images and tables, computed by PyTorch from the same initial weights and data.

    pip install torch h5py numpy
    python images_torch.py --trireme PROGRAM -o images_losses.csv

Runs every case of images_cases.py with the program, for the sake of its initial weights (the step-0
checkpoint), its resolved configuration (the same file) and the samples of each step (samples.csv); then
trains the same model in float64 on the data set file. The losses of the run itself are not looked at.
tests/golden/make does all of it.

Nothing here is taken from Trireme's sources: means, deviations and medians of the training part are
NumPy's, layers and losses those of torch.nn.functional, in PyTorch's own order of axes. Batch
normalisation takes its statistics from a block, so the blocks of a step pass one by one.
"""

import argparse
import csv
import platform
import sys
import tempfile
from collections import defaultdict

import h5py
import numpy as np
import torch
from torch.nn import functional as F

import images_cases
from decoder_torch import read_config, read_weights, train


def tensor(x):
    return torch.from_numpy(np.ascontiguousarray(x, dtype=np.float64))


# ---- data ----------------------------------------------------------------------------------------


def standardized(x, known):
    """By mean and deviation of the rows `known`, whatever is missing (NaN) left out; what is the same
    everywhere becomes 0."""
    mean, deviation = np.nanmean(x[known], 0), np.nanstd(x[known], 0)
    return (x - mean) / np.where(deviation > 0, deviation, 1)


def read_images(file, known):
    """[n, channels, height, width]"""
    pixels = file["input/pixels"][...] / 255
    channels_last = np.moveaxis(pixels, 1, -1)
    flat = channels_last.reshape(-1, pixels.shape[1])
    rows = np.arange(len(flat)).reshape(len(pixels), -1)[known].ravel()
    return np.moveaxis(standardized(flat, rows).reshape(channels_last.shape), -1, 1)


def read_numbers(file, known):
    """Columns with medians for what is missing, then a flag for each column that misses something in
    the training part. Means and deviations are of what is there."""
    x = file["input/numbers"][...].astype(np.float64)
    missing = np.isnan(x)
    median = np.nanmedian(x[known], 0)
    mean, deviation = np.nanmean(x[known], 0), np.nanstd(x[known], 0)
    x = (np.where(missing, median, x) - mean) / np.where(deviation > 0, deviation, 1)
    return np.concatenate([x, missing[:, missing[known].any(0)]], 1)


class Samples:
    """A data set file of kind samples with images or rows."""

    def __init__(self, path, split):
        with h5py.File(path) as file:
            self.train = file[f"splits/{split}/train"][...].astype(np.int64)
            self.levels = None
            if "input/pixels" in file:
                self.x = tensor(read_images(file, self.train))
            else:
                self.x = tensor(read_numbers(file, self.train))
            if "input/categories" in file:
                self.levels = torch.from_numpy(file["input/categories"][...].astype(np.int64))
                self.n_levels = np.diff(file["input/levels"][...]).tolist()
            self.read_targets(file)

    def read_targets(self, file):
        self.numbers = "target/numbers" in file
        self.sets = "target/offsets" in file
        if self.numbers:
            y = file["target/numbers"][...].astype(np.float64)
            self.y = tensor(standardized(y, self.train))
        elif self.sets:
            offsets, n_classes = file["target/offsets"][...], len(file["classes/offsets"]) - 1
            self.y = torch.zeros(len(offsets) - 1, n_classes, dtype=torch.float64)
            self.y[np.repeat(np.arange(len(self.y)), np.diff(offsets)), file["target/values"][...].astype(int)] = 1
        else:
            self.y = torch.from_numpy(file["target/labels"][...].astype(np.int64))

    def one_hot(self, ids):
        """Nothing where a level is missing (-1)."""
        parts = [F.one_hot(level + 1, n + 1)[:, 1:] for level, n in zip(self.levels[ids].T, self.n_levels)]
        return torch.cat(parts, 1).double()


# ---- models: outputs of a block of samples -----------------------------------------------------------


class Net:
    def __init__(self, config, weights, data):
        # A resolved configuration has the keys in use: what is not there has no effect.
        self.c = defaultdict(str, {key.partition(".")[2]: value for key, value in config.items()
                                   if key.startswith("model.")})
        self.w, self.data = weights, data
        self.activation = {"relu": F.relu, "elu": F.elu,
                           "gelu": lambda x: F.gelu(x, approximate="tanh")}[self.c["activation"]]

    def linear(self, x, name):
        return F.linear(x, self.w[f"{name}/weight"], self.w.get(f"{name}/bias"))

    def conv(self, x, name, kernel, stride=1, padding=0):
        """Weights are stored as [kernel * kernel * in, out]."""
        w = self.w[f"{name}/weight"].unflatten(0, (kernel, kernel, x.shape[1])).permute(3, 2, 0, 1)
        return F.conv2d(x, w, self.w.get(f"{name}/bias"), stride, padding)

    def norm(self, x, name):
        w, b = self.w.get(f"{name}/norm/weight"), self.w.get(f"{name}/norm/bias")
        if w is None:
            return x
        if self.c["norm"] == "layer":
            return F.layer_norm(x, x.shape[-1:], w, b, eps=1e-5)
        return F.batch_norm(x, None, None, w, b, training=True, eps=1e-5)

    def dense(self, x):
        """The hidden layers of model.widths, and the output layer."""
        widths = self.c["widths"].strip("'\"")
        for i in range(0 if widths == "none" else len(widths.split(","))):
            x = self.activation(self.norm(self.linear(x, f"layers/{i}"), f"layers/{i}"))
        return self.linear(x, "head")


class Mlp(Net):
    def outputs(self, ids):
        x = self.data.x[ids]
        if x.dim() == 4:  # rows of pixels have their channels side by side
            x = x.permute(0, 2, 3, 1).flatten(1)
        if self.data.levels is not None and self.c["levels"] == "embedded":
            tables = [self.w[f"levels/{k}/weight"] for k in range(self.data.levels.shape[1])]
            x = torch.cat([x, *(F.embedding(level + 1, table)  # the first vector is of what is missing
                                for level, table in zip(self.data.levels[ids].T, tables))], 1)
        elif self.data.levels is not None:
            x = torch.cat([x, self.data.one_hot(ids)], 1)
        return self.dense(x)


class Cnn(Net):
    def outputs(self, ids):
        x, kernel = self.data.x[ids], int(self.c["kernel"])
        padding = kernel // 2 if self.c["padding"] == "same" else 0
        first = self.c["pool_behind"] == "first"
        pool = {"max": F.max_pool2d, "mean": F.avg_pool2d}[self.c["pool"]]
        for s in range(len(self.c["channels"].split(","))):
            for i in range(int(self.c["convs"])):
                name = f"stages/{s}/conv{i}"
                x = self.conv(x, name, kernel, padding=padding)
                if i == 0 and first:
                    x = pool(x, 2)
                x = self.norm(x, name)
                if self.c["residual"] == "true" and i == int(self.c["convs"]) - 1:
                    x = x + begun
                x = self.activation(x)
                begun = x if i == 0 else begun
            x = x if first else pool(x, 2)
        readouts = {"flatten": lambda x: x.permute(0, 2, 3, 1).flatten(1), "mean": lambda x: x.mean((2, 3)),
                    "max": lambda x: x.amax((2, 3))}
        return self.dense(readouts[self.c["readout"]](x))


class Resnet(Net):
    def block(self, x, name):
        shortcut = f"{name}/shortcut"
        stride = 2 if f"{shortcut}/weight" in self.w else 1
        y = self.activation(self.norm(self.conv(x, f"{name}/conv1", 3, stride, 1), f"{name}/conv1"))
        y = self.norm(self.conv(y, f"{name}/conv2", 3, 1, 1), f"{name}/conv2")
        if stride == 2:
            x = self.norm(self.conv(x, shortcut, 1, 2), shortcut)
        return self.activation(x + y)

    def outputs(self, ids):
        x = self.activation(self.norm(self.conv(self.data.x[ids], "stem", 3, 1, 1), "stem"))
        for s in range(3):
            for i in range(int(self.c["blocks"])):
                x = self.block(x, f"stages/{s}/{i}")
        return self.linear(x.mean((2, 3)), "head")


# ---- losses of a block: their sum, and by what it is divided -------------------------------------------


class Loss:
    def __init__(self, config, data):
        self.data, self.kind = data, config.get("loss.numbers")
        self.delta = float(config.get("loss.huber_delta", 0))
        self.smoothing = float(config.get("loss.label_smoothing", 0))
        self.weights = None
        if config.get("loss.class_weights") == "balanced":  # n / (classes * samples of the class)
            counts = data.y[data.train].bincount().double()
            self.weights = counts.sum() / (len(counts) * counts)

    def of_numbers(self, y, wanted):
        losses = {"squared": F.mse_loss, "absolute": F.l1_loss,
                  "huber": lambda y, t, reduction: F.huber_loss(y, t, reduction, self.delta)}
        return losses[self.kind](y[:, 0], wanted, reduction="sum"), len(wanted)

    def __call__(self, y, ids):
        wanted = self.data.y[ids]
        if self.data.numbers:
            return self.of_numbers(y, wanted)
        if self.data.sets:
            return F.binary_cross_entropy_with_logits(y, wanted, reduction="sum"), wanted.numel()
        losses = F.cross_entropy(y, wanted, label_smoothing=self.smoothing, reduction="none")
        weights = torch.ones_like(losses) if self.weights is None else self.weights[wanted]
        return (weights * losses).sum(), weights.sum()


def penalty_of(config, weights):
    """Of the rules "NAME l2=VALUE" of params.rules, each half of VALUE times the squares of its weights:
    Keras says so of L2(VALUE / 2)."""
    rules = [rule.split() for rule in config.get("params.rules", "").strip("'\"").split(",") if rule]
    for name, what in rules:
        if name not in weights or not what.startswith("l2="):
            sys.exit(f"params.rules: '{name} {what}' is not written down here")
    if not rules:
        return None
    return lambda: sum(float(what[3:]) / 2 * (weights[name] ** 2).sum() for name, what in rules)


# ---- training ------------------------------------------------------------------------------------


def blocks_of(ids, n_blocks):
    """A step's samples stand block by block, in blocks of equal sizes, the larger ones first."""
    return [block for block in np.array_split(ids, n_blocks) if len(block)]


def compute(run, path):
    """Losses and norms of what a run has computed on the data set `path`."""
    with open(f"{run}/samples.csv") as file:
        steps = [np.array(row["samples"].split(), dtype=np.int64) for row in csv.DictReader(file)]
    with h5py.File(f"{run}/checkpoints/step_00000000.h5") as file:
        text = file["run"].attrs["config_text"]
        config = read_config(text.decode() if isinstance(text, bytes) else text)
        weights = read_weights(file, torch.float64)
    for key in ("model.dropout", "model.input_dropout", "model.stage_dropout"):
        if float(config.get(key, 0)) != 0:
            sys.exit(f"{key} must be 0: no two programs draw the same masks")
    data = Samples(path, int(config["data.split"]))
    model = {"mlp": Mlp, "cnn": Cnn, "resnet": Resnet}[config["model.kind"]](config, weights, data)
    loss, n_blocks = Loss(config, data), int(config["batch.blocks"])

    def loss_of(step):
        # Ids count on from epoch to epoch: epoch * samples + place in the training part.
        blocks = blocks_of(data.train[steps[step] % len(data.train)], n_blocks)
        sums, counts = zip(*(loss(model.outputs(ids), ids) for ids in blocks))
        return sum(sums) / sum(counts)

    return train(config, weights, loss_of, len(steps), penalty_of(config, weights))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trireme", required=True, help="the program")
    parser.add_argument("--cases", help="only these")
    parser.add_argument("-o", "--output", required=True, help="CSV file to write")
    args = parser.parse_args()

    torch.set_num_threads(1)
    cases = args.cases.split(",") if args.cases else images_cases.CASES
    with tempfile.TemporaryDirectory(prefix="trireme-golden-") as folder, open(args.output, "w") as out:
        data = images_cases.prepare(args.trireme, folder)
        out.write("# Losses (nats a sample; errors of numbers in deviations of the training part) computed by\n"
                  "# tests/golden/images_torch.py in float64, not by Trireme.\n")
        out.write(f"# torch {torch.__version__}, numpy {np.__version__}, h5py {h5py.__version__}, "
                  f"Python {platform.python_version()}, {platform.machine()}\n")
        out.write("case,step,loss,grad_norm\n")
        for case in cases:
            run = images_cases.train([], args.trireme, folder, data, case, case)
            rows = compute(run, data[images_cases.CASES[case][0]])
            for step, (loss, norm) in enumerate(rows, start=1):
                out.write(f"{case},{step},{loss:.12g},{norm:.12g}\n")


if __name__ == "__main__":
    main()
