"""The losses of models of a shop, computed by PyTorch from the same initial weights and data.

    pip install torch h5py numpy
    python shop_torch.py --trireme PROGRAM -o shop_losses.csv

Runs every case of shop_cases.py with the program, for the sake of its initial weights (the step-0
checkpoint), its resolved configuration and the customers of each step (samples.csv); then trains the
same model in float64 on the data set file. The losses of the run itself are not looked at.
tests/golden/make does all of it.

Nothing here is taken from Trireme's sources: the model is written from what the documentation says of
it, with the graph as a dense matrix.
"""

import argparse
import csv
import glob
import math
import platform
import sys
import tempfile

import h5py
import numpy as np
import torch
from torch.nn import functional as F

import shop_cases
from decoder_torch import read_config


class Shop:
    """A data set file of kind shop: bought[customer][product] is a list of days."""

    def __init__(self, path):
        with h5py.File(path) as file:
            offsets = file["purchases/offsets"][...]
            products = file["purchases/products"][...]
            day_offsets = file["purchases/days/offsets"][...]
            days = file["purchases/days/values"][...]
            x_offsets = file["nodes/features/offsets"][...]
            columns = file["nodes/features/columns"][...]
            values = file["nodes/features/values"][...]
            n_features = len(file["features/names/offsets"]) - 1
            text_offsets, text_words = file["nodes/texts/offsets"][...], file["nodes/texts/words"][...]
            self.valid_day = int(file.attrs["valid_day"])
        self.n_customers = len(offsets) - 1
        self.n_products = len(x_offsets) - 1 - self.n_customers
        self.bought = [{} for _ in range(self.n_customers)]
        for u in range(self.n_customers):
            for p in range(offsets[u], offsets[u + 1]):
                self.bought[u][int(products[p])] = [int(d) for d in days[day_offsets[p]:day_offsets[p + 1]]]
        x = np.zeros((self.n_customers + self.n_products, n_features))
        for v in range(len(x)):
            x[v, columns[x_offsets[v]:x_offsets[v + 1]]] = values[x_offsets[v]:x_offsets[v + 1]]
        self.x = torch.from_numpy(x)
        self.texts = [torch.tensor(text_words[text_offsets[v]:text_offsets[v + 1]], dtype=torch.int64)
                      for v in range(len(x))]
        self.product_days = [[] for _ in range(self.n_products)]
        for lists in self.bought:
            for p, of_pair in lists.items():
                self.product_days[p] += of_pair
        self.customer_days = [sorted({d for of_pair in lists.values() for d in of_pair}) for lists in self.bought]

    def facts(self, day):
        """Numbers of every node as known before the day: 7 of products, 6 of customers."""
        rows = np.zeros((self.n_customers + self.n_products, 13))
        for u, days in enumerate(self.customer_days):
            past = [d for d in days if d < day]
            different = sum(min(of_pair) < day for of_pair in self.bought[u].values())
            rows[u, 7:] = [math.log1p(sum(d >= day - 30 for d in past)), math.log1p(sum(d >= day - 90 for d in past)),
                           math.log1p(len(past)), math.log1p((day - past[-1]) / 7) if past else 0,
                           math.log1p(different), not past]
        for p, days in enumerate(self.product_days):
            past = [d for d in days if d < day]
            month = sum(d >= day - 30 for d in past)
            rows[self.n_customers + p, :7] = [
                math.log1p(4 * sum(d >= day - 7 for d in past)), math.log1p(2 * sum(d >= day - 14 for d in past)),
                math.log1p(month), math.log1p(sum(day - 60 <= d < day - 30 for d in past)),
                math.log1p(30 * len(past) / max(day, 1)), month == 0, not past]
        return torch.from_numpy(rows)

    def adjacency(self, day):
        """A_ij = 1 / sqrt(d_i d_j) for pairs that were bought before the day."""
        n = self.n_customers + self.n_products
        a = torch.zeros(n, n, dtype=torch.float64)
        for u, lists in enumerate(self.bought):
            for p, days in lists.items():
                if days[0] < day:
                    a[u, self.n_customers + p] = a[self.n_customers + p, u] = 1
        d = a.sum(1).clamp(min=1)
        return a / torch.sqrt(d[:, None] * d[None, :])

    def habits(self, u, p, day):
        past = [d for d in self.bought[u][p] if d < day]
        between = (past[-1] - past[0]) / (len(past) - 1) if len(past) > 1 else 0
        return [1, math.log(len(past)), math.log1p((day - past[-1]) / 7), math.log1p(between / 7)]


class Windows:
    """Days that steps look at, and the customers of each: the samples of an epoch in their order."""

    def __init__(self, shop, config):
        self.month = int(config["sampler.month"])
        last, first = shop.valid_day - self.month, int(config["sampler.first_day"])
        stride = int(config["sampler.stride"])
        days = list(range(last, first - 1, -stride))[::-1]
        self.samples = []
        for day in days:
            for u, lists in enumerate(shop.bought):
                known = any(of_pair[0] < day for of_pair in lists.values())
                buys = any(day <= d < day + self.month for of_pair in lists.values() for d in of_pair)
                if known and (buys or config["loss.choice"] == "purchase"):
                    self.samples.append((day, u))


def read_text(weights, config, words):
    """The mean of the rows that a pre-norm Transformer makes of words, times a matrix."""
    width, heads = int(config["model.width"]), int(config["model.heads"])
    linear = lambda x, name: F.linear(x, weights[f"text/{name}/weight"], weights.get(f"text/{name}/bias"))
    norm = lambda x, name: F.layer_norm(x, [width], weights[f"text/{name}/weight"], weights[f"text/{name}/bias"], 1e-5)
    place = torch.arange(len(words), dtype=torch.float64)[:, None]
    angle = place / 10000 ** (torch.arange(0, width, 2, dtype=torch.float64) / width)
    waves = torch.stack([angle.sin(), angle.cos()], 2).reshape(len(words), -1)[:, :width]
    x = weights["text/wte/weight"][words] * math.sqrt(width) + waves
    for i in range(int(config["model.text_layers"])):
        q, k, v = (y.unflatten(1, (heads, -1)).transpose(0, 1)
                   for y in linear(norm(x, f"blocks/{i}/ln1"), f"blocks/{i}/attn/qkv").chunk(3, 1))
        y = F.scaled_dot_product_attention(q, k, v).transpose(0, 1).flatten(1)
        x = x + linear(y, f"blocks/{i}/attn/proj")
        y = torch.relu(linear(norm(x, f"blocks/{i}/ln2"), f"blocks/{i}/mlp/fc"))
        x = x + linear(y, f"blocks/{i}/mlp/proj")
    return linear(norm(x, "ln_f"), "out").mean(0)


def model_rows(weights, config, shop, day):
    """Vectors, biases and weights of habits of all nodes."""
    first = shop.n_customers
    e = torch.zeros(first + shop.n_products, int(config["model.width"]), dtype=torch.float64)
    if config["model.text"] in ("words", "both"):
        e = e + shop.x @ weights["words/weight"].T
    if config["model.text"] in ("encoder", "both"):
        texts = [words[:int(config["model.context"])] for words in shop.texts]
        e = e + torch.stack([read_text(weights, config, words) if len(words) else torch.zeros_like(e[0])
                             for words in texts])
    if config["model.ids"] == "true":
        sold = torch.tensor([[any(d < day for d in days)] for days in shop.product_days], dtype=torch.float64)
        e = e + F.pad(weights["products/weight"] * sold, (0, 0, first, 0))
    a, total = shop.adjacency(day), e
    layers = int(config["model.layers"])
    for _ in range(layers):
        e = a @ e
        total = total + e
    facts = shop.facts(day) * (config["model.facts"] == "true")
    hidden = torch.relu(F.linear(facts, weights["facts/hidden/weight"], weights["facts/hidden/bias"]))
    return total / (layers + 1), F.linear(hidden, weights["facts/out/weight"], weights["facts/out/bias"])


def step_loss(weights, config, shop, month, day, customers):
    """Summed loss and what it is divided by."""
    first, balance = shop.n_customers, float(config["loss.balance"])
    e, other = model_rows(weights, config, shop, day)
    loss, count = 0, 0
    for u in customers:
        s = e[first:] @ e[u] + other[first:, 0] + other[u, 0]
        known = [p for p, days in shop.bought[u].items() if days[0] < day]
        bought = [p for p, days in shop.bought[u].items() if any(day <= d < day + month for d in days)]
        phi = torch.zeros(shop.n_products, 4, dtype=torch.float64)
        for p in known:
            phi[p] = torch.tensor(shop.habits(u, p, day), dtype=torch.float64)
        s = s + phi @ other[u, 1:]
        if config["loss.choice"] == "purchase":
            y = torch.zeros(shop.n_products, dtype=torch.float64)
            y[bought] = 1
            loss = loss + F.binary_cross_entropy_with_logits(s - 6, y, reduction="sum")  # where odds start
            count += 1
            continue
        weight = len(bought) ** -balance
        count += weight * len(bought)
        for p in bought:
            rest = [q for q in range(shop.n_products) if (q in known) == (p in known) and q not in bought]
            loss = loss - weight * torch.log_softmax(s[[p] + rest], 0)[0]
    return loss, count


def read_samples(path):
    """{step: ids}."""
    with open(path) as file:
        rows = list(csv.reader(file))[1:]
    return {int(step): [int(i) for i in ids.split()] for step, ids in rows}


def train(run, shop):
    with open(f"{run}/config.yaml") as file:
        config = read_config(file.read())
    weights = {}
    with h5py.File(glob.glob(f"{run}/checkpoints/step_00000000.h5")[0]) as file:
        file["model"].visititems(lambda name, data: weights.__setitem__(
            name, torch.tensor(data[...], dtype=torch.float64, requires_grad=True))
            if isinstance(data, h5py.Dataset) else None)
    optimizer = torch.optim.Adam(weights.values(), lr=float(config["optimizer.lr"]),
                                 betas=(float(config["optimizer.beta1"]), float(config["optimizer.beta2"])),
                                 eps=float(config["optimizer.eps"]))
    windows = Windows(shop, config)
    for step, ids in sorted(read_samples(f"{run}/samples.csv").items()):
        chosen = [windows.samples[i % len(windows.samples)] for i in ids]
        assert len({day for day, _ in chosen}) == 1, "a step looks at one day"
        loss, count = step_loss(weights, config, shop, windows.month, chosen[0][0], [u for _, u in chosen])
        optimizer.zero_grad()
        (loss / count).backward()
        norm = math.sqrt(sum(float((w.grad**2).sum()) for w in weights.values() if w.grad is not None))
        optimizer.step()
        yield step, float(loss.detach() / count), norm


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--trireme", required=True)
    parser.add_argument("--output", "-o", required=True)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, open(given.output, "w", newline="") as file:
        file.write("# Losses and norms of gradients computed by tests/golden/shop_torch.py in float64, not by Trireme.\n")
        file.write(f"# torch {torch.__version__}, numpy {np.__version__}, h5py {h5py.__version__}, "
                   f"Python {platform.python_version()}, {platform.machine()}\n")
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["case", "step", "loss", "grad_norm"])
        data = shop_cases.prepare(given.trireme, folder)
        shop = Shop(data)
        for case in shop_cases.CASES:
            run = shop_cases.train([], given.trireme, folder, data, case, case)
            for step, loss, norm in train(run, shop):
                writer.writerow([case, step, f"{loss:.9g}", f"{norm:.9g}"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
