"""The runs of models of a shop whose losses PyTorch has computed too: data and configurations.

Data are text, made here from random.random(), which gives the same numbers in every version of
Python; `trireme prepare` turns them into a data set. Only the standard library is needed.
"""

# A large eps: what is the same for all products cancels out in a softmax, so some gradients are 0 but for
# rounding, which Adam would otherwise blow up.

import os
import random
import subprocess

COMMON = """\
run: {{ seed: {seed} }}
data: {{ path: {data} }}
eval: {{ every: 0, at_end: false }}
checkpoint: {{ every: 0, initial: true }}
log: {{ every: 1, samples: true, tensorboard: false }}
train: {{ steps: 20 }}
optimizer: {{ name: adam, lr: 0.01, beta1: 0.9, beta2: 0.999, eps: 1e-3, weight_decay: 0, clip_norm: 0 }}
schedule: {{ name: constant, warmup_steps: 0 }}
sampler: {{ month: 20, first_day: 30, stride: 5 }}
"""

# name: (model, loss, batch)
CASES = {
    "softmax": ("layers: 2, width: 7, id_drop: 0", "choice: softmax, balance: 0.5", "size: 9, blocks: 3"),
    "softmax-text": ("layers: 1, width: 5, ids: false, facts: false", "choice: softmax, balance: 0", "size: 8"),
    "softmax-ids": ("layers: 3, width: 6, text: none, id_drop: 0, facts_width: 5", "choice: softmax, balance: 1",
                    "size: 7, blocks: 4"),
    "purchase": ("layers: 2, width: 7, id_drop: 0", "choice: purchase", "size: 11, blocks: 3"),
    "encoder": ("layers: 2, width: 8, id_drop: 0, text: both, text_layers: 2, heads: 2, ff_width: 12, context: 3",
                "choice: softmax, balance: 0.5", "size: 9, blocks: 4"),
}

WORDS = "red blue green lamp clock box set of small large heart star paper metal wooden holder".split()


def texts(folder):
    """Purchases of 40 customers among 25 products on 120 days, the later ones of other products."""
    draw = random.Random(7).random
    with open(os.path.join(folder, "products.tsv"), "w") as file:
        file.write("product\tdescription\tcolour\tweight\n")
        for p in range(25):
            words = " ".join(WORDS[int(draw() * len(WORDS))] for _ in range(1 + int(draw() * 4)))
            weight = "" if p % 6 == 5 else f"{draw() * 3:.2f}"
            file.write(f"p{p}\t{words}\t{('red', 'blue', '')[int(draw() * 3)]}\t{weight}\n")
    with open(os.path.join(folder, "customers.tsv"), "w") as file:
        file.write("customer\tcountry\n")
        for c in range(40):
            file.write(f"c{c}\t{('fr', 'uk', 'de')[int(draw() * 3)]}\n")
    with open(os.path.join(folder, "purchases.tsv"), "w") as file:
        file.write("customer\tproduct\ttime\n")
        for day in range(120):
            for _ in range(1 + int(draw() * 6)):
                c = int(draw() * 40)
                p = (c // 4 + int(draw() * draw() * 12) + (day // 30)) % 25
                file.write(f"c{c}\tp{p}\t{day}\n")


def prepare(program, folder):
    texts(folder)
    path = os.path.join(folder, "shop.h5")
    subprocess.run([program, "prepare", "shop", folder, "--valid-from", "90", "--test-from", "105",
                    "--product-fields", "colour,weight", "--customer-fields", "country", "-o", path],
                   check=True, stderr=subprocess.PIPE)
    return path


def config(case, data):
    model, loss, batch = CASES[case]
    number = list(CASES).index(case)
    return (COMMON.format(seed=number + 3, data=data) + f"model: {{ kind: shop, {model} }}\n"
            f"loss: {{ {loss} }}\nbatch: {{ {batch} }}\n")


def train(launch, program, folder, data, case, name):
    """Trains and returns the run's folder."""
    path = os.path.join(folder, f"{name}.yaml")
    with open(path, "w") as file:
        file.write(config(case, data))
    run = os.path.join(folder, name)
    subprocess.run([*launch, program, "train", path, "--set", f"run.dir={run}"], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    return run
