"""`trireme evaluate` and `predict` of several runs: means of probabilities and of numbers, votes, each member
and the whole, the same on any number of ranks; who is refused."""
import csv
import math
import os
import re

import graphs
import sequences
from harness import *

folder = temp_folder()


def path(name):
    return os.path.join(folder, name)


def evaluate(runs, *more, ranks=1):
    """What each member and the whole say, by name of the score."""
    result = run("evaluate", *runs, *more, ranks=ranks)
    good(result, f"evaluate {runs} {more}")
    parts = [{}]
    for line in result.out.splitlines():
        if line in runs or re.match(r"all \d+, by", line):
            parts.append({})
        for name, value in re.findall(r"(\w+) +(-?[0-9.]+(?:e[-+]\d+)?)(?= |$)", line):
            parts[-1][name] = float(value)
    return result.out, parts[1:]


def predict(runs, name, *more, ranks=1):
    file = path(f"{name}.tsv")
    good(run("predict", *runs, "-o", file, *more, ranks=ranks), f"predict {runs}")
    with open(file) as text:
        return [line.rstrip("\n").split("\t") for line in text][1:]


# ---- classes: models of different sizes, of two classes so that a probability says all
r = sequences.random.Random(5)
rows_of_text = "".join(f"{'good' if i % 2 else 'bad'}\t{sequences.sentence(r, 2 if i % 2 else 1, 1 if i % 2 else 2)}\n"
                       for i in range(150))
data = sequences.labelled(folder, "two", rows_of_text, "--test-share", "0.3", "--valid-share", "0.2")
runs = []
for i, (width, seed) in enumerate(((8, 1), (16, 2), (8, 3))):
    body = f"model: {{kind: encoder, layers: 1, heads: 2, width: {width}, context: 24}}\nbatch: {{size: 16, blocks: 4}}"
    setup = sequences.config(path(f"two-{i}.yaml"), data, body, steps=8)
    runs.append(path(f"two-{i}"))
    good(train(setup, runs[-1], "--set", f"run.seed={seed}"), f"member {i}")
members = [predict([one], f"one-{i}") for i, one in enumerate(runs)]


def of_class_1(row):
    return float(row[2]) if row[1] == "1" else 1 - float(row[2])


whole = predict(runs, "whole")
votes = predict(runs, "votes", "--vote")
equal(len(whole), 150, "a row for each sample")
for k, row in enumerate(whole):
    p = sum(of_class_1(one[k]) for one in members) / 3
    check(abs(of_class_1(row) - p) < 3e-6, f"sample {k}: {of_class_1(row)}, mean {p}")
    ones = sum(one[k][1] == "1" for one in members)
    equal(votes[k][1], "1" if ones >= 2 else "0", f"votes on sample {k}")
    agree = ones if ones >= 2 else 3 - ones
    check(agree / 3.5 - 1e-6 <= float(votes[k][2]) <= (agree + 0.5) / 3.5 + 1e-6, f"share of votes: {votes[k]}")
check([row[1] for row in whole] != [row[1] for row in members[0]], "not what the first one says")
for ranks in (2, 3, 4):
    equal(predict(runs, f"whole-{ranks}", ranks=ranks), whole, f"predictions on {ranks} ranks")
    equal(predict(runs, f"votes-{ranks}", "--vote", ranks=ranks), votes, f"votes on {ranks} ranks")
out, parts = evaluate(runs)
equal(len(parts), 4, f"three members and the whole: {out}")
check("all 3, by their mean" in out, out)
for one, part in zip(runs, parts):
    alone = run("evaluate", one).out
    check(f"{part['valid_accuracy']:.6f}" in alone and f"{part['loss']:.6f}" in alone, f"{part} alone: {alone}")
check(0 < parts[3]["loss"] < max(part["loss"] for part in parts[:3]), f"a mean is better than the worst: {parts}")
for ranks in (2, 3, 4):
    equal(evaluate(runs, ranks=ranks)[0], out, f"scores on {ranks} ranks")
again = evaluate([runs[0], runs[0]])[1]
for name in ("valid_accuracy", "test_accuracy", "loss", "valid_auc"):
    equal(again[2][name], parts[0][name], f"an ensemble of one and itself: {name}")
check("by votes" in evaluate(runs, "--vote")[0], "votes")

# ---- in reports: members and the whole, as they were told
equal(evaluate(runs, "--report", ranks=2)[0], out, "told alike")
good(run("report", *runs, "-o", path("report.html"), "--csv", path("csv"), "--no-data"), "report")
with open(path("csv/ensemble.csv")) as file:
    rows = list(csv.DictReader(file))
for member, part in zip([*runs, "mean of 3"], parts):
    shown = {row["score"]: row["value"] for row in rows if row["member"] == member}
    for name in ("valid_accuracy", "test_accuracy"):
        check(abs(float(shown[name]) - part[name]) < 1e-6, f"{name} of {member}: {shown}, told {part}")
    check(abs(float(shown["valid_loss"]) - part["loss"]) < 1e-6, f"loss of {member}: {shown}, told {part}")
with open(path("report.html")) as file:
    page = file.read()
table = page[page.index('class="ensemble"'):]
table = table[:table.index("</table>")]
check("Together" in page and "mean of 3" in table, "a table of them")
check(f"<td>{100 * parts[3]['valid_accuracy']:.2f}</td>" in table, f"accuracy of the whole: {table}")
equal(table.count("<tr"), 5, "a head, three members, the whole")
one_line(run("evaluate", runs[0], "--report"), 64, "several runs")
checkpoint = sorted(os.listdir(f"{runs[0]}/checkpoints"))[-1]
one_line(run("evaluate", f"{runs[0]}/checkpoints/{checkpoint}", runs[1], "--report"), 64, "run directory")

# ---- numbers: the mean
data = sequences.labelled(folder, "marks", sequences.marks(90), "--real", "--test-share", "0.2")
numbers = []
for i in range(2):
    setup = sequences.config(path(f"marks-{i}.yaml"), data,
                             "model: {kind: encoder, layers: 1, heads: 2, width: 8, context: 24}\nbatch: {size: 16, blocks: 4}")
    numbers.append(path(f"marks-{i}"))
    good(train(setup, numbers[-1], "--set", f"run.seed={i}"), f"numbers {i}")
one, two, both = predict(numbers[:1], "m0"), predict(numbers[1:], "m1"), predict(numbers, "m", ranks=3)
for a, b, c in zip(one, two, both):
    check(abs((float(a[1]) + float(b[1])) / 2 - float(c[1])) < 1e-7 * abs(float(c[1])) + 1e-7, f"{a}, {b}, {c}")
out, parts = evaluate(numbers)
equal(evaluate(numbers, ranks=4)[0], out, "numbers on 4 ranks")
wanted = [(float(row[1]), float(row[2])) for row in both if row[2]]
check(math.isfinite(parts[2]["valid_rmse"]) and "loss" not in parts[2], f"{parts}")

# ---- nodes of a graph, by two kinds of models
nodes = graphs.prepare("graph", graphs.nodes_folder(path("nodes")))
kinds = []
for kind in ("gcn", "mlp"):
    setup = graphs.config(path(f"{kind}.yaml"), nodes, f"model: {{kind: {kind}, layers: 2, width: 8}}")
    kinds.append(path(f"run-{kind}"))
    good(train(setup, kinds[-1]), kind)
out, parts = evaluate(kinds)
equal(len(parts), 3, f"two kinds and the whole: {out}")
equal(evaluate(kinds, ranks=2)[0], out, "nodes on 2 ranks")

# ---- refused
one_line(run("evaluate", *numbers, "--vote"), 64, "do not vote")
one_line(run("evaluate", runs[0], numbers[0]), 65, "member 2")
one_line(run("evaluate", runs[0], "--vote"), 64, "several runs")
one_line(run("predict", runs[0], numbers[0], "-o", path("x.tsv"), ranks=2), 65, "member 2")
one_line(run("predict", runs[0], path("none"), "-o", path("x.tsv")), 66, "no such run")
text = small_setup(folder)
good(train(text, path("text"), "--set", "train.steps=2", "--set", "eval.every=0"), "text")
one_line(run("evaluate", path("text"), path("text")), 64, "no member of an ensemble")
check(not os.path.exists(path("x.tsv")), "nothing is written")
finish()
