"""Small data sets of sequences for the end-to-end tests, made here, and configurations on them."""
import os
import random

from harness import *

QUICK = """
data: {path: %(data)s}
%(body)s
optimizer: {name: adam, lr: 0.01, weight_decay: 0.001}
schedule: {name: constant, warmup_steps: 0}
train: {steps: %(steps)d}
eval: {every: %(every)d}
checkpoint: {every: %(every)d, keep: 4, initial: false}
log: {every: 1, samples: true, tensorboard: false}
"""
GOOD = "fine bright warm kind quick".split()
BAD = "dull cold grim slow harsh".split()
PLAIN = "the a film book day with and of it was".split()


def write(path, text):
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(text)
    return path


def sentence(random_, n_good, n_bad, most=9):
    words = random_.choices(GOOD, k=n_good) + random_.choices(BAD, k=n_bad)
    words += random_.choices(PLAIN, k=random_.randrange(most))
    random_.shuffle(words)
    return " ".join(words)


def moods(n, seed=1):
    """Rows of class and sentence, three classes of different sizes."""
    r = random.Random(seed)
    kinds = [r.choices(("good", "bad", "mixed"), (5, 3, 2))[0] for _ in range(n)]
    counts = {"good": (2, 0), "bad": (0, 2), "mixed": (1, 1)}
    return "".join(f"{kind}\t{sentence(r, *counts[kind])}\n" for kind in kinds)


def marks(n, seed=2):
    """Rows of a number and a sentence: good words raise it, bad ones lower it."""
    r, text = random.Random(seed), ""
    for _ in range(n):
        n_good, n_bad = r.randrange(4), r.randrange(3)
        text += f"{10 + 2.5 * n_good - 1.5 * n_bad:g}\t{sentence(r, n_good, n_bad + 1)}\n"
    return text


def spellings(n, seed=3):
    """Words and their sounds, units of different kinds; some words twice, with two pronunciations."""
    r, text = random.Random(seed), ""
    for i in range(n):
        word = "".join(r.choices("abcdef", k=r.randrange(1, 9)))
        sounds = " ".join(c.upper() + ("H" if c in "ce" else "") for c in word)
        text += f"{word}\t{sounds}\n" + (f"{word}\t{sounds} X\n" if i % 5 == 0 else "")
    return text


def prepare(folder, name, way, *more):
    data = f"{folder}/{name}.h5"
    good(run("prepare", way, *more, "-o", data), f"prepare {name}")
    return data


def labelled(folder, name, rows, *more):
    """Of rows of label and text."""
    table = write(f"{folder}/{name}.tsv", rows)
    return prepare(folder, name, "labelled", table, "--label", 1, "--text", 2, *more)


def classes(folder, name="classes", n=240, seed=1):
    return labelled(folder, name, moods(n, seed), "--test-share", "0.2")


def folds(folder):
    return labelled(folder, "folds", moods(120), "--folds", 3)


def numbers(folder, name="numbers", n=240):
    return labelled(folder, name, marks(n), "--real", "--test-share", "0.2")


def reversal(folder, name="reverse", symbols=6, length="1-6", samples=300):
    return prepare(folder, name, "synth", "--pairs", "reverse", "--symbols", symbols, "--length", length,
                   "--samples", samples, "--valid", 50, "--test", 30)


def sounds(folder):
    table = write(f"{folder}/sounds.tsv", spellings(200))
    return prepare(folder, "sounds", "pairs", table, "--unit", "char", "--target-unit", "symbol",
                   "--valid-share", "0.2")


def config(path, data, body, steps=16, every=8):
    return write(path, QUICK % {"data": data, "body": body, "steps": steps, "every": every})


# ---- the settings of test_sequence_layouts.py; 7 blocks: no rank count there divides them

ENCODER = "kind: encoder, layers: 2, heads: 2, width: 18, context: 24, dropout: 0.2, attention_dropout: 0.2"
SEQ2SEQ = "kind: seq2seq, layers: 1, heads: 2, width: 18, context: 12, dropout: 0.1, attention_dropout: 0.2"
# name: (data set, keys)
LAYOUT_CASES = {
    "classes": ("classes", f"model: {{{ENCODER}}}\nbatch: {{size: 23, blocks: 7}}\n"
                "loss: {label_smoothing: 0.1, class_weights: balanced}"),
    "numbers": ("numbers", f"model: {{{ENCODER}, norm: post, pooling: first, positions: learned}}\n"
                "batch: {tokens: 190, blocks: 7}"),
    "reverse": ("reverse", f"model: {{{SEQ2SEQ}}}\nbatch: {{size: 23, blocks: 7}}\n"
                "loss: {label_smoothing: 0.1}"),
    "sounds": ("sounds", f"model: {{{SEQ2SEQ}, decoder_layers: 2, norm: post, tied: false, activation: gelu}}\n"
               "batch: {tokens: 300, blocks: 7, pool: 3}\nloss: {label_smoothing: 0.1}"),
}


def layout_configs(folder):
    """Prepares the data sets and writes the settings: {name: path of its configuration}."""
    data = {make.__name__: make(folder) for make in (classes, numbers, sounds)}
    data["reverse"] = reversal(folder)
    return {name: config(f"{folder}/{name}.yaml", data[which], body)
            for name, (which, body) in LAYOUT_CASES.items()}
