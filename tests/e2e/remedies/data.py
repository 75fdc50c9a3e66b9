"""Data sets, configurations and runs that many rows share; each is made when a family needs it."""
import os

import graphs
import sequences
import values
from harness import *

SHORT = """
optimizer: {lr: 0.01}
schedule: {warmup_steps: 0}
train: {steps: 4}
eval: {every: 2}
checkpoint: {every: 2, initial: false}
log: {every: 1, tensorboard: false, report: false}
"""


def text(folder):
    good(run("prepare", "synth", "--tokens", 3000, "--vocab", 17, "-o", f"{folder}/data.h5"), "prepare")


def letters(folder):
    with open(f"{folder}/letters.txt", "w") as file:
        file.write("abcdefgh ABCDEFGH 0123\n" * 20)
    good(run("prepare", "text", f"{folder}/letters.txt", "-o", f"{folder}/letters.h5"), "prepare letters")


def retail(folder):
    words = "red blue green lamp clock box".split()
    os.makedirs(f"{folder}/retail")
    with open(f"{folder}/retail/products.tsv", "w") as file:
        file.write("product\tdescription\n" + "".join(f"p{p}\t{words[p % 3]} {words[3 + p % 3]}\n" for p in range(20)))
    with open(f"{folder}/retail/purchases.tsv", "w") as file:
        file.write("customer\tproduct\ttime\n" + "".join(
            f"c{(day * 7 + i) % 20}\tp{(day + 3 * i) % 20}\t{day}\n" for day in range(150) for i in range(4)))
    good(run("prepare", "shop", f"{folder}/retail", "--valid-from", 110, "--test-from", 130, "-o",
             f"{folder}/retail.h5"), "prepare shop")


def config(folder, name, data, body):
    with open(f"{folder}/{name}.yaml", "w") as file:
        file.write(f"data: {{path: {data}}}\n{body}{SHORT}")


TEXT = "model: {layers: 1, heads: 2, width: 16, context: 16}\nbatch: {size: 4, blocks: 2}\n"
MAKERS = {"data": text, "letters": letters, "retail": retail,
          "cls": lambda f: sequences.classes(f, "cls", 120), "num": lambda f: sequences.numbers(f, "num", 80),
          "fold": lambda f: sequences.labelled(f, "fold", sequences.moods(90), "--folds", 3),
          "rev": lambda f: sequences.reversal(f, "rev"),
          "snd": lambda f: os.rename(sequences.sounds(f), f"{f}/snd.h5"),
          "price": lambda f: values.table(f, "price", n=120), "kind": lambda f: values.table(f, "kind", n=120),
          "tags": lambda f: values.table(f, "tags", n=120), "bars": lambda f: values.images(f, n=120),
          "sparse": lambda f: graphs.prepare("graph", graphs.nodes_folder(f"{f}/sparse")),
          "dense": lambda f: graphs.prepare("graph", graphs.nodes_folder(f"{f}/dense", sparse=False)),
          "sets": lambda f: graphs.prepare("graphs", graphs.set_folder(f"{f}/sets")),
          "likes": lambda f: graphs.prepare("interactions", graphs.pairs_folder(f"{f}/likes"))}
ENCODER = "model: {kind: encoder, layers: 1, heads: 2, width: 16, context: 24}\nbatch: {size: 8, blocks: 2}\n"
# name: (data set, keys)
CONFIGS = {
    "lm": ("data", TEXT), "enc": ("cls", ENCODER), "reg": ("num", ENCODER), "fld": ("fold", ENCODER),
    "s2s": ("rev", "model: {kind: seq2seq, layers: 1, heads: 2, width: 16, context: 12}\nbatch: {size: 8, blocks: 2}\n"),
    "sound": ("snd", "model: {kind: seq2seq, layers: 1, heads: 2, width: 16, context: 24}\nbatch: {size: 8, blocks: 2}\n"),
    "mlp": ("kind", "model: {kind: mlp, widths: '9'}\nbatch: {size: 8, blocks: 2}\n"),
    "cost": ("price", "model: {kind: mlp, widths: '9'}\nbatch: {size: 8, blocks: 2}\n"),
    "tag": ("tags", "model: {kind: mlp, widths: '9'}\nbatch: {size: 8, blocks: 2}\n"),
    "cnn": ("bars", "model: {kind: cnn, channels: '4', widths: '9'}\nbatch: {size: 8, blocks: 2}\n"),
    "gcn": ("sparse", "model: {kind: gcn, layers: 2, width: 8, activation: relu}\nbatch: {blocks: 2}\n"),
    "sage": ("dense", "model: {kind: sage, layers: 2, width: 8, activation: relu}\n"
             "sampler: {kind: neighbor, fanout: '4,3'}\nbatch: {size: 16, blocks: 2}\n"),
    "clu": ("dense", "model: {kind: gcn, layers: 2, width: 8, activation: relu}\n"
            "sampler: {kind: cluster, clusters: 20}\nbatch: {size: 4, blocks: 2}\n"),
    "gat": ("dense", "model: {kind: gat, layers: 2, width: 8, heads: 2, activation: elu}\nbatch: {blocks: 2}\n"),
    "gin": ("sets", "model: {kind: gin, layers: 2, width: 8, readout: sum, activation: relu}\n"
            "batch: {size: 8, blocks: 2}\n"),
    "light": ("likes", "model: {kind: lightgcn, layers: 2, width: 8}\nbatch: {size: 16, blocks: 2}\n"),
    "shop": ("retail", "model: {kind: shop, width: 8}\nsampler: {month: 20, first_day: 30, stride: 5, negatives: 6}\n"
             "batch: {size: 4, blocks: 2}\n"),
}


def make(folder, needs):
    """Data sets by name, NAME.h5; configurations, NAME.yaml, and what they need; runs, runs/NAME."""
    for name in needs:
        which = CONFIGS[name][0] if name in CONFIGS else name
        if which in MAKERS and not os.path.exists(f"{folder}/{which}.h5"):
            MAKERS[which](folder)
        if name in CONFIGS:
            config(folder, name, f"{which}.h5", CONFIGS[name][1])
    for name in needs:
        if name.startswith("run:"):
            good(run("train", name[4:] + ".yaml", cwd=folder), f"train {name}")
