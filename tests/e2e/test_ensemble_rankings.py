"""Several recommenders together: the mean of probabilities of purchases, and of shares among what is new to a
customer and among what it knows, against means of what the members say; scores of the whole; who is refused."""
import csv
import math
import os
import random

import graphs
from harness import *

folder = temp_folder()
draw = random.Random(7)
PRODUCTS, CUSTOMERS = 24, 30


def path(name):
    return os.path.join(folder, name)


def write(name, text):
    os.makedirs(os.path.dirname(path(name)), exist_ok=True)
    with open(path(name), "w") as file:
        file.write(text)
    return path(name)


def table(name, runs, *more, ranks=0):
    """Predictions by (user, item): (known, score), and their order for each user."""
    good(run("predict", *runs, "-o", path(name), "--top", "100", *more, ranks=ranks), f"predict {runs}")
    with open(path(name), newline="") as file:
        rows = list(csv.reader(file, delimiter="\t"))
    shop = rows[0][0] == "customer"
    said = {(row[0], row[1]): (row[2] if shop else "0", float(row[3] if shop else row[2])) for row in rows[1:]}
    return said, rows


def lists(said):
    """Items of each user and kind, in the order of the file."""
    found = {}
    for (user, item), (known, _) in said.items():
        found.setdefault((user, known), []).append(item)
    return found


def mean_of_shares(members):
    """Logarithm of the mean of softmax over each list, and the mean of what it divides by."""
    mean = {}
    for (user, known), items in lists(members[0]).items():
        levels = [math.log(sum(math.exp(one[user, item][1]) for item in items)) for one in members]
        for item in items:
            share = sum(math.exp(one[user, item][1] - level) for one, level in zip(members, levels)) / len(members)
            mean[user, item] = math.log(share) + sum(levels) / len(members)
    return mean


def mean_of_probabilities(members):
    return {key: sum(one[key][1] for one in members) / len(members) for key in members[0]}


def compare(whole, mean, text, tolerance):
    equal(whole.keys(), mean.keys(), f"{text}: the same lines")
    worst = max(abs(whole[key][1] - mean[key]) / max(1, abs(mean[key])) for key in mean)
    check(worst < tolerance, f"{text}: {worst} from the mean")
    for (user, known), items in lists(whole).items():
        order = [mean[user, item] for item in items]
        check(all(a >= b - 2 * tolerance * max(1, abs(a)) for a, b in zip(order, order[1:])), f"{text}: order of {user}")


def evaluate(runs, *more, ranks=0):
    result = run("evaluate", *runs, *more, ranks=ranks)
    good(result, f"evaluate {runs}")
    parts = []
    for line in result.out.splitlines():
        if line in runs or re.match(r"all \d+, by", line):
            parts.append({})
        for name, value in re.findall(r"(\w+) +(-?[0-9.]+(?:e[-+]\d+)?)(?= |$)", line):
            parts[-1][name] = float(value)
    return result.out, parts


# ---- a shop: models of different widths
write("shop/products.tsv", "product\tdescription\n" +
      "".join(f"p{p}\t{'red blue green'.split()[p % 3]} {'lamp clock box bowl'.split()[p % 4]}\n" for p in range(PRODUCTS)))
bought = [(draw.randrange(CUSTOMERS), draw.randrange(PRODUCTS // 3), day) for day in range(100) for _ in range(4)]
write("shop/purchases.tsv", "customer\tproduct\ttime\n" + "".join(f"c{c}\tp{3 * p + c % 3}\t{day}\n" for c, p, day in bought))
good(run("prepare", "shop", path("shop"), "--valid-from", "60", "--test-from", "80", "-o", path("shop.h5")), "shop")
setup = write("shop.yaml", f"""data: {{path: {path('shop.h5')}}}
model: {{kind: shop, width: 4}}
sampler: {{month: 20, first_day: 20}}
batch: {{size: 16, blocks: 4}}
train: {{steps: 10}}
optimizer: {{lr: 0.05}}
schedule: {{name: constant, warmup_steps: 0}}
eval: {{every: 0}}
checkpoint: {{every: 0, initial: false}}
log: {{tensorboard: false, report: false}}
""")


def member(name, *settings):
    words = [word for setting in settings for word in ("--set", setting)]
    good(run("train", setup, "--set", f"run.dir={path(name)}", *words), name)
    return path(name)


choices = [member("s0"), member("s1", "run.seed=2", "model.width=8"), member("s2", "loss.choice=bpr", "run.seed=3")]
bids = [member(f"b{i}", f"run.seed={i}", "loss.choice=purchase", f"model.width={4 + 4 * i}") for i in range(2)]
for runs, mean, tolerance in ((choices, mean_of_shares, 1e-5), (bids, mean_of_probabilities, 1e-5)):
    name = os.path.basename(runs[0])
    members = [table(f"{name}-{i}.tsv", [one])[0] for i, one in enumerate(runs)]
    whole, rows = table(f"{name}.tsv", runs)
    compare(whole, mean(members), name, tolerance)
    check(lists(whole) != lists(members[0]), "not what the first one says")
    equal(table(f"{name}-3.tsv", runs, ranks=3)[1], rows, f"{name}: predictions on 3 ranks")
    out, parts = evaluate(runs)
    equal(len(parts), len(runs) + 1, f"members and the whole: {out}")
    check("valid_recall" in parts[-1] and "test_auc" in parts[-1], out)
    for ranks in (2, 4):
        equal(evaluate(runs, ranks=ranks)[0], out, f"{name}: scores on {ranks} ranks")
    again = evaluate([runs[0], runs[0]])[1]
    equal(again[2], again[0], f"{name}: an ensemble of one and itself")
for part in ("valid_log_loss", "test_log_loss"):  # it is convex
    check(parts[2][part] <= (parts[0][part] + parts[1][part]) / 2 + 1e-6, f"{part}: {parts}")
good(run("evaluate", *bids, "--report"), "kept for reports")
good(run("report", *bids, "-o", path("report.html"), "--no-data"), "report")
with open(path("report.html")) as file:
    check("mean of 2" in file.read(), "a report shows the whole")

# ---- users and items; recall of what is predicted is what evaluate says
pairs_folder = graphs.pairs_folder(path("pairs"))
pairs = graphs.prepare("interactions", pairs_folder)
light = graphs.config(path("light.yaml"), pairs, "model: {kind: lightgcn, layers: 2, width: 8}\nbatch: {size: 64, blocks: 4}")
users = [path("u0"), path("u1")]
good(train(light, users[0], "--set", "log.report=false"), "the first")
good(train(light, users[1], "--set", "run.seed=5", "--set", "model.width=16", "--set", "log.report=false"), "the second")
members = [table(f"u-{i}.tsv", [one])[0] for i, one in enumerate(users)]
whole, rows = table("u.tsv", users)
compare(whole, mean_of_shares(members), "users and items", 1e-5)
equal(table("u-4.tsv", users, ranks=4)[1], rows, "on 4 ranks")
out, parts = evaluate(users, "--set", "eval.top_k=5")
equal(evaluate(users, "--set", "eval.top_k=5", ranks=3)[0], out, "scores on 3 ranks")
with open(f"{pairs_folder}/test.txt") as file:
    wanted = {words[0]: set(words[1:]) for words in (line.split() for line in file) if len(words) > 1}
first = {user: items[:5] for (user, _), items in lists(whole).items()}
recall = sum(len(wanted[user] & set(first[user])) / len(wanted[user]) for user in wanted) / len(wanted)
check(abs(parts[2]["test_recall"] - recall) < 2e-6, f"recall {parts[2]}, of the predictions {recall}")

# ---- refused
one_line(run("evaluate", *choices, "--vote"), 64, "--vote", "rank")
one_line(run("evaluate", choices[0], bids[0], ranks=2), 65, "member 2", "loss.choice purchase 1", "first one 0")
one_line(run("evaluate", choices[0], users[0]), 65, "member 2", "another data set")
one_line(run("predict", choices[0], member("month", "sampler.month=15"), "-o", path("x.tsv")), 65, "member 2",
         "sampler.month 15", "20")
check(not os.path.exists(path("x.tsv")), "nothing is written")
finish()
