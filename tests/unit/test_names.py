#!/usr/bin/env python3
"""No layer names what lies above it: a model family, an optimizer, a schedule, a kind of data, ...
And no trm_ name, private ones among them, is that of two things.

usage: test_names.py ROOT         check a source tree; one line for each offence
       test_names.py --self-test  plant names in a small tree and expect to be told

The names are those of the list files (src/<layer>/.../*_list.h, one line "TRM_THING(name)" each). A layer
that CMakeLists.txt declares before the list's own may have none of them as a word of a string: choices,
messages and comparisons are made from the lists. Names that are everyday words (ORDINARY) may stand in a
longer text, but not be one.
"""

import os
import re
import sys
import tempfile

from test_layers import files_of, read_modules, without_comments

LINE = re.compile(r"^TRM_(\w+)\((\w+)\)", re.MULTILINE)
STRING = re.compile(r'"((?:\\.|[^"\\\n])*)"')
DEFINED = re.compile(r"^(?:typedef )?(?:struct|union|enum) (trm_\w+) \{"
                     r"|^(?!static|typedef)[a-z][\w *]*?\b(trm_\w+)\([^;{}]*\) \{", re.MULTILINE)
INCLUDE = re.compile(r"^\s*#\s*include\b")
# List files whose names are no choices of a user (a task is chosen by the name of its kind of data).
NOT_CHOICES = {"op_list.h", "kernel_list.h", "task_list.h"}
ORDINARY = {"step", "constant", "ring", "canonical", "reference", "full", "nodes", "set", "pairs", "graph", "graphs",
            "interactions", "neighbor", "cluster", "samples", "scale", "shift", "noise", "drop", "swap", "mask",
            "contrast"}
# Also names of other things down there: a type of value, an operator, a kind of data.
PASSED_OVER = {"text", "linear", "shop"}


def read_lists(root):
    """[(layer, file, names)] of every list of choices."""
    lists = []
    for path in files_of(root, "src"):
        parts = path.split(os.sep)
        if not parts[-1].endswith("_list.h") or parts[-1] in NOT_CHOICES or parts[1] == "app":
            continue
        with open(os.path.join(root, path), encoding="utf-8") as file:
            names = [name for _, name in LINE.findall(without_comments(file.read()))]
        lists.append((parts[1], path, [name for name in names if name not in PASSED_OVER]))
    return lists


def forbidden(root):
    """{layer: {name: list file}} and problems."""
    problems = []
    layers = list(read_modules(root, problems))
    names = {layer: {} for layer in layers}
    lists = read_lists(root)
    if not lists:
        problems.append("src:1: no list of names found")
    for owner, path, found in lists:
        if not found:
            problems.append(f"{path}:1: has no names")
        for layer in layers[: layers.index(owner)] if owner in layers else []:
            for name in found:
                names[layer].setdefault(name, path)
    return names, problems


def defined_twice(root):
    """A type, or a function that is not static, whose name another file defines too."""
    first, problems = {}, []
    for folder in ("src", "include"):
        for path in files_of(root, folder):
            if not path.endswith((".c", ".h")):
                continue
            with open(os.path.join(root, path), encoding="utf-8") as file:
                text = without_comments(file.read())
            for found in DEFINED.finditer(text):
                name = found.group(1) or found.group(2)
                other = first.setdefault(name, path)
                if other != path:
                    number = text.count("\n", 0, found.start()) + 1
                    problems.append(f"{path}:{number}: '{name}' is the name of another thing in {other}")
    return problems


def check(root):
    names, problems = forbidden(root)
    problems += defined_twice(root)
    for folder, depth in (("src", 1), (os.path.join("include", "trireme"), 2)):
        for path in files_of(root, folder):
            layer = path.split(os.sep)[depth]
            if not names.get(layer):
                continue
            with open(os.path.join(root, path), encoding="utf-8") as file:
                lines = without_comments(file.read()).split("\n")
            for number, line in enumerate(lines, 1):
                if INCLUDE.match(line):
                    continue
                for text in STRING.findall(line):
                    for name, where in names[layer].items():
                        whole = text == name
                        if whole or (name not in ORDINARY and re.search(rf"\b{name}\b", text)):
                            problems.append(f"{path}:{number}: {layer} names '{name}', which lies above it ({where})")
    return problems


CLEAN = {
    "CMakeLists.txt": "trm_module(core)\ntrm_module(optim MAY_USE core)\ntrm_module(model MAY_USE core)\n"
    "trm_module(train MAY_USE core optim model)\n",
    "src/optim/optimizer_list.h": "/* TRM_X(y) */\nTRM_OPTIMIZER(adamw)\nTRM_SCHEDULE(step)\n",
    "src/model/model_list.h": "TRM_MODEL(gcn)\n",
    "src/core/a.c": '/* gcn */ // "gcn"\n#include "adamw"\nconst char *a = "a step of gcnx";\n',
    "src/model/gcn.c": 'const char *a = "gcn", *b = "adamw";\n',
    "src/train/a.c": 'const char *a = "gcn";\n',
    "include/trireme/core/a.h": "typedef struct trm_row trm_row;\ntrm_status trm_row_make(int n);\n",
    "src/core/row.c": "struct trm_row {\n  int n;\n};\ntrm_status trm_row_make(int n) {\n  return n;\n}\n",
}
BREACHES = [
    ("a name", "src/core/b.c", '\nconst char *a = "gcn";\n', "src/core/b.c:2: core names 'gcn'"),
    ("in a message", "src/core/b.c", 'const char *a = "choose adamw or sgd";\n', "core names 'adamw'"),
    ("in a public header", "include/trireme/core/b.h", '#define A "gcn"\n', "core/b.h:1: core names 'gcn'"),
    ("an everyday word alone", "src/core/b.c", 'const char *a = "step";\n', "core names 'step'"),
    ("of a layer above", "src/optim/b.c", 'const char *a = "for gcn";\n', "optim names 'gcn'"),
    ("a type of two", "src/model/b.h", "\ntypedef struct trm_row {\n  int m;\n} trm_row;\n", "src/model/b.h:2: 'trm_row'"),
    ("a type and a function", "src/model/b.c", "void trm_row(int n,\n             int m) {\n}\n", "b.c:1: 'trm_row'"),
    ("an empty list", "src/model/other_list.h", "", "other_list.h:1: has no names"),
]


def problems_of(files):
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            full = os.path.join(root, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "w", encoding="utf-8") as file:
                file.write(text)
        return check(root)


def self_test():
    failures = []
    clean = problems_of(CLEAN)
    if clean:
        failures.append(f"clean tree: expected no problem, got {clean}")
    for name, path, text, part in BREACHES:
        got = problems_of({**CLEAN, path: text})
        if len(got) != 1 or part not in got[0]:
            failures.append(f"{name}: expected one problem with {part!r}, got {got}")
    return failures


def main(arguments):
    if len(arguments) != 1:
        print(__doc__.strip(), file=sys.stderr)
        return 64
    lines = self_test() if arguments[0] == "--self-test" else check(arguments[0])
    for line in lines:
        print(line, file=sys.stderr)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
