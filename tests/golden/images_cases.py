"""The runs of models on images and tables whose losses PyTorch has computed too: data and configurations.

Data are made here from random.random(), which gives the same numbers in every version of Python;
`trireme prepare` turns them into data sets. The linear model is the one of examples/. Only the standard
library is needed.
"""

import math
import os
import random
import struct
import sys

from gnn_cases import below, run, write

HERE = os.path.dirname(os.path.abspath(__file__))
EXAMPLES = os.path.join(HERE, "../../examples")
SHARES = "--valid-share 0.1 --test-share 0.1 --seed 2".split()

# name: words of prepare; {} is the path of the data set without its ending
DATA = {
    "digits": ["images", "--images", "{}.idx", "--labels", "{}.labels", "--valid-share", "0.1"],
    "coloured": ["images", "--pixels", "{}.csv", "--size", "12x11x3", *SHARES],
    "gaps": ["table", "{}.tsv", "--target", "y", "--kind", "k=category", *SHARES],
    "topics": ["table", "{}.tsv", "--target", "topics", "--labels-separator", "+", *SHARES],
    "linear": ["table", "{}.csv", "--target", "y"],
}

ADAM = "optimizer: { name: adam, lr: 0.001, beta1: 0.9, beta2: 0.999, weight_decay: 0, clip_norm: 0 }\n"
ADAMW = "optimizer: { name: adamw, lr: 0.003, beta1: 0.9, beta2: 0.99, weight_decay: 0.1, clip_norm: 1.5 }\n"
SLOW = "optimizer: { name: sgd, lr: 0.002, momentum: 0.9, weight_decay: 1e-3, clip_norm: 2 }\n"
SGD = "optimizer: { name: sgd, lr: 0.05, momentum: 0.9, nesterov: true, weight_decay: 1e-3, clip_norm: 0 }\n"
CONSTANT = "schedule: { name: constant, warmup_steps: 0 }\n"
COSINE = "schedule: { name: cosine, warmup_steps: 5, decay_steps: 45, min_lr: 3e-4 }\n"
STEPS = "train: {{ steps: {} }}\n"
COMMON = """\
run: { seed: 3 }
eval: { every: 0, at_end: false }
checkpoint: { every: 0, initial: true }
log: { every: 1, samples: true, tensorboard: false }
"""


def model(text, batch, rest, steps=50):
    return f"model: {{ {text} }}\nbatch: {{ {batch} }}\n{rest}{STEPS.format(steps)}{COMMON}"


def loss(text):
    return f"loss: {{ {text} }}\n"


MLP = "kind: mlp, widths: '17,11', activation: {}"
CNN = "kind: cnn, channels: '5,7', widths: '9', "
# name: (data, configuration). Batches do not divide an epoch, nor blocks a batch.
CASES = {
    # 784-128-128-10; on the second layer the penalty that Keras calls l2(0.01)
    "lesson": ("digits", model("kind: mlp, widths: '128,128'", "size: 32, blocks: 4",
                               "params: { rules: 'layers/1/weight l2=0.02' }\n" + ADAM + CONSTANT)),
    "cnn-same": ("coloured", model(CNN + "padding: same, pool: max", "size: 25, blocks: 3", ADAMW + COSINE)),
    "cnn-valid": ("coloured", model(CNN + "padding: valid, pool: mean, convs: 2, kernel: 2, norm: none, "
                                    "activation: gelu", "size: 22, blocks: 5",
                                    loss("label_smoothing: 0.1") + ADAMW + COSINE)),
    "cnn-mean": ("coloured", model("kind: cnn, channels: '6,8', convs: 2, widths: none, kernel: 5, pool_behind: first, "
                                   "readout: mean, activation: elu", "size: 23, blocks: 4",
                                   loss("label_smoothing: 0.2, class_weights: balanced") + SLOW + CONSTANT)),
    "cnn-residual": ("coloured", model("kind: cnn, channels: '6,8', convs: 3, widths: none, pool_behind: first, "
                                       "residual: true, readout: max", "size: 24, blocks: 3", SLOW + CONSTANT)),
    "lenet": ("digits", model("kind: cnn, channels: '6,16', widths: '120,84', kernel: 5, padding: valid, norm: none, "
                              "init: xavier, activation: elu", "size: 16, blocks: 3", ADAM + CONSTANT)),
    "resnet": ("coloured", model("kind: resnet, blocks: 1, width: 8", "size: 24, blocks: 1", SLOW + CONSTANT, 20)),
    "resnet-blocks": ("coloured", model("kind: resnet, blocks: 2, width: 4, activation: gelu", "size: 24, blocks: 3",
                                        SLOW + CONSTANT, 20)),
    "squared": ("gaps", model(MLP.format("relu"), "size: 20, blocks: 4", ADAM.replace("0.001", "0.01") + CONSTANT)),
    "absolute": ("gaps", model(MLP.format("gelu") + ", levels: embedded", "size: 21, blocks: 3",
                               loss("numbers: absolute") + ADAM + CONSTANT)),
    "huber": ("gaps", model(MLP.format("elu") + ", levels: embedded, level_width: 3, norm: layer",
                            "size: 22, blocks: 5", loss("numbers: huber, huber_delta: 0.4") + ADAMW + COSINE)),
    "table-batch-norm": ("gaps", model(MLP.format("relu") + ", norm: batch", "size: 23, blocks: 3",
                                       SGD + COSINE)),
    "class-sets": ("topics", model(MLP.format("relu") + ", bias: false", "size: 19, blocks: 3", ADAMW + COSINE)),
    "linear": ("linear", os.path.join("adam_and_sgd", "adam.yaml")),
    "linear-sgd": ("linear", os.path.join("adam_and_sgd", "sgd.yaml")),
}
# Keys for examples, which say how to train and not what to write.
EXAMPLE_KEYS = ("train.epochs=0", "train.steps=50", "run.seed=3", "eval.every=0", "eval.at_end=false",
                "checkpoint.every=0", "log.every=1", "log.samples=true", "log.tensorboard=false")


# ---- data ----------------------------------------------------------------------------------------


def blob(r, height, width, centre):
    """Bytes of a bright spot on noise."""
    y0, x0 = centre
    return [int(200 * math.exp(-((y - y0) ** 2 + (x - x0) ** 2) / 9) + 55 * r.random())
            for y in range(height) for x in range(width)]


def make_digits(path):
    """230 images of 28 x 28 in 10 classes, IDX: a spot each, by its class, and a border that is always black.
    Some labels are wrong, so that losses do not vanish."""
    r = random.Random(31)
    kinds = [i % 10 for i in range(230)]
    labels = [below(r, 10) if r.random() < 0.3 else kind for kind in kinds]
    with open(f"{path}.labels", "wb") as file:
        file.write(struct.pack(">BBBBI", 0, 0, 8, 1, len(labels)) + bytes(labels))
    with open(f"{path}.idx", "wb") as file:
        file.write(struct.pack(">BBBBIII", 0, 0, 8, 3, len(labels), 28, 28))
        for kind in kinds:
            pixels = blob(r, 28, 28, (8 + 3 * (kind % 4) + 2 * r.random(), 8 + 4 * (kind // 4) + 2 * r.random()))
            pixels[:28] = pixels[-28:] = [0] * 28
            file.write(bytes(pixels))


def make_coloured(path):
    """130 images of 12 x 11 with 3 channels in 4 classes of different size, a line each; some labels are wrong."""
    r = random.Random(32)
    with open(f"{path}.csv", "w") as file:
        for _ in range(130):
            kind = min(below(r, 6), 3)
            label = below(r, 4) if r.random() < 0.3 else kind
            channels = [blob(r, 12, 11, (2 + 2 * kind + 2 * r.random(), 3 + 2 * c + 2 * r.random())) for c in range(3)]
            pixels = [channels[c][p] if c != kind else channels[c][p] // 2 for p in range(132) for c in range(3)]
            file.write(",".join(map(str, [label, *pixels])) + "\n")


def make_gaps(path):
    """150 rows: numbers of very different sizes, one of them whole and one nearly always the same; two
    columns of categories; gaps in some."""
    r = random.Random(33)
    rows = [("a", "b", "c", "d", "k", "place", "y")]
    for i in range(150):
        a, b, c = 2 * r.random() - 1, 1e4 * (1 + r.random() ** 3), below(r, 7)
        k, place = below(r, 4), "nest"[below(r, 4)] + "est" * below(r, 2)
        y = 300 + 40 * a + b / 200 + (5, -20, 30, 0)[k] * (c - 3) + len(place) + 4 * r.random()
        gap = [r.random() < share for share in (0, 0.2, 0.05, 0, 0, 0.1)]
        fields = [f"{a:.4f}", f"{b:.1f}", c, 0.5 + 0.1 * (i % 50 == 7), k, place]
        rows.append(["" if hole else field for field, hole in zip(fields, gap)] + [f"{y:.3f}"])
    write(os.path.dirname(path), f"{os.path.basename(path)}.tsv", rows)


def make_topics(path):
    """120 rows of any number of 5 topics, none included."""
    r = random.Random(34)
    rows = [("u", "v", "w", "where", "topics")]
    for _ in range(120):
        u, v, w, where = r.random(), r.random(), r.random(), "abc"[below(r, 3)]
        chances = {"art": u, "games": v * v, "law": w * (where == "a"), "sport": 0.3 + 0.6 * (u > v), "travel": 0.15}
        topics = "+".join(topic for topic, chance in chances.items() if r.random() < chance)
        rows.append((f"{u:.4f}", f"{v:.4f}", f"{w:.4f}", where, topics))
    write(os.path.dirname(path), f"{os.path.basename(path)}.tsv", rows)


def make_linear(path):
    with open(f"{path}.csv", "w") as file:
        file.write(run([sys.executable, os.path.join(EXAMPLES, "adam_and_sgd", "linear_table"), "200"]))


def prepare(program, folder):
    """Makes the data sets: {name: path}."""
    paths = {}
    for name, command in DATA.items():
        path = os.path.join(folder, name)
        globals()[f"make_{name}"](path)
        run([program, "prepare", *(word.format(path) for word in command), "-o", f"{path}.h5"])
        paths[name] = f"{path}.h5"
    return paths


# ---- runs ----------------------------------------------------------------------------------------


def is_example(case):
    return case.startswith("linear")


def ranks_of(case):
    """1, and 3 where there are as many blocks."""
    return (1,) if "blocks: 1 " in CASES[case][1] else (1, 3)


def train(launcher, program, folder, data, case, out):
    """Runs a case; the run is in the folder that is returned."""
    name, text = CASES[case]
    path, config = os.path.join(folder, out), os.path.join(EXAMPLES, text)
    keys = [f"data.path={data[name]}", f"run.dir={path}"]
    if is_example(case):
        keys += EXAMPLE_KEYS
    else:
        config = f"{path}.yaml"
        with open(config, "w") as file:
            file.write(text)
    run([*launcher, program, "train", config, *(word for key in keys for word in ("--set", key))])
    return path
