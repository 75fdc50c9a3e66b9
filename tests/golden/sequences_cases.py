"""The runs of models on sequences whose losses PyTorch has computed too: encoder*.yaml and
seq2seq*.yaml beside this file, and the data sets that they name.

Texts are made here from random.random(), which gives the same numbers in every version of Python;
`trireme prepare` turns them into data sets. Only the standard library is needed.
"""

import os
import random

from gnn_cases import below, run, write

HERE = os.path.dirname(os.path.abspath(__file__))
COLUMNS = "--text 1 --label 2".split()
SHARES = "--valid-share 0.1 --test-share 0.1 --seed 2".split()

# name: words of prepare; {text} is a table made by a function below
DATA = {
    "classes": ["labelled", "{text}", *COLUMNS, "--unit", "word", *SHARES],
    "numbers": ["labelled", "{text}", *COLUMNS, "--real", "--unit", "symbol", *SHARES],
    "reversed": "synth --pairs reverse --symbols 11 --length 1-9 --samples 60 --valid 5 --test 5 --seed 5".split(),
    "shared": ["pairs", "{text}", "--unit", "symbol", *SHARES],
    "separate": ["pairs", "{text}", "--unit", "symbol", "--vocab", "separate", *SHARES],
}


def words(r, longest, kinds):
    """A text of 1 to `longest` words, the first of `kinds` the most frequent."""
    return [f"w{int(kinds * r.random() * r.random())}" for _ in range(1 + below(r, longest))]


def make_classes():
    """In 4 classes of very different size; the last word says something of the class."""
    r = random.Random(21)
    for _ in range(80):
        text = words(r, 12, 19)
        kind = below(r, 4) if r.random() < 0.3 else len(text[-1]) - 2 + (text[-1] < "w3")
        yield " ".join(text), f"c{kind}"


def make_numbers():
    r = random.Random(22)
    for _ in range(70):
        text = words(r, 9, 13)
        yield " ".join(text), f"{len(text) + 10 * text.count('w0') * r.random() - 3:.3f}"


def make_shared():
    """Targets are of other lengths than their sources: what stands twice is said once."""
    r = random.Random(23)
    for _ in range(80):
        text = words(r, 11, 12)
        yield " ".join(text), " ".join(reversed(list(dict.fromkeys(text))))


def make_separate():
    """Each word becomes one or two of other words."""
    for source, target in make_shared():
        both = " ".join(f"x{len(w)} {w.replace('w', 'y')}" if w > "w4" else w.upper() for w in target.split())
        yield source, both


def prepare(program, folder):
    """Writes the texts and makes the data sets: {name: path}."""
    paths = {}
    for name, command in DATA.items():
        text, paths[name] = (os.path.join(folder, f"{name}.{end}") for end in ("tsv", "h5"))
        if "{text}" in command:
            write(folder, f"{name}.tsv", globals()[f"make_{name}"]())
        run([program, "prepare", *(word.format(text=text) for word in command), "-o", paths[name]])
    return paths


def cases():
    """Names of the configurations."""
    return sorted(name[: -len(".yaml")] for name in os.listdir(HERE)
                  if name.startswith(("encoder", "seq2seq")) and name.endswith(".yaml"))


def data_of(name):
    """The data set that the configuration asks for: data: { path: NAME.h5 }."""
    with open(os.path.join(HERE, f"{name}.yaml")) as file:
        line, = (line for line in file if line.startswith("data:"))
    return line.split()[3].removesuffix(".h5")


def train(launcher, program, folder, data, name, out):
    """Runs a case; the run is in the folder that is returned."""
    path = os.path.join(folder, out)
    run([*launcher, program, "train", os.path.join(HERE, f"{name}.yaml"),
         "--set", f"data.path={data[data_of(name)]}", "--set", f"run.dir={path}"])
    return path
