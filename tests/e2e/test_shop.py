"""A shop from tables to recommendations: layouts, resuming, replaying, customers and products that are
new, and input that is wrong."""
import random

from harness import *

folder = temp_folder()
WORDS = "red blue green lamp clock box set small large heart star paper metal wooden holder".split()


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)
    return path


def shop(name, customers=60, products=40, days=150, extra=""):
    """Groups of customers buy the products that share their word."""
    draw = random.Random(3)
    texts = [f"{WORDS[p % 5]} {WORDS[5 + p % 10]}" for p in range(products)]
    write(f"{folder}/{name}/products.tsv",
          "product\tdescription\n" + "".join(f"p{p}\t{t}\n" for p, t in enumerate(texts)))
    lines = ["customer\tproduct\ttime"]
    for day in range(days):
        for _ in range(6):
            c = draw.randrange(customers)
            p = (c % 5 + 5 * draw.randrange(products // 5)) % products
            if p % 8 != 7 or day > 120:  # some products are new late
                lines.append(f"c{c}\tp{p}\t{day}")
    return write(f"{folder}/{name}/purchases.tsv", "\n".join(lines) + "\n" + extra)


def prepare(name, *words):
    return run("prepare", "shop", f"{folder}/{name}", "-o", f"{folder}/{name}.h5", *words)


shop("shop", extra="new1\tp1\t149\n")
good(prepare("shop", "--valid-from", "110", "--test-from", "130"), "prepare")
CONFIG = """\
data: {path: %s/shop.h5}
model: {kind: shop, width: 8, id_drop: 0.3, dropout: 0.1, input_dropout: 0.1, drop_edge: 0.1}
sampler: {month: 20, first_day: 30, stride: 5, negatives: 12}
batch: {size: 10, blocks: 4}
train: {steps: 12}
optimizer: {name: adamw, lr: 0.01}
schedule: {name: constant, warmup_steps: 0}
eval: {every: 6}
log: {every: 1}
checkpoint: {every: 3, keep: 10}
"""
path = write(f"{folder}/shop.yaml", CONFIG % folder)


def train(name, *words, **where):
    return run("train", path, "--set", f"run.dir={folder}/{name}", *words, **where)


# ---- layouts: losses of each kind, products drawn or all of them
for kind in ("softmax", "bpr", "purchase"):
    extra = ["--set", f"loss.choice={kind}"]
    if kind == "purchase":
        extra += ["--set", "sampler.negatives=0"]
    want = want_scores = None
    for ranks, threads in ((1, 1), (1, 2), (2, 1), (3, 1), (4, 1)) if kind == "softmax" else ((1, 2), (3, 1)):
        name = f"{kind}-{ranks}x{threads}"
        good(train(name, *extra, ranks=ranks, threads=threads), name)
        want, want_scores = want or hashes(f"{folder}/{name}"), want_scores or scores(f"{folder}/{name}")
        check(len(want) >= 12, f"{name}: {len(want)} hashes")
        equal(hashes(f"{folder}/{name}"), want, name)
        equal(scores(f"{folder}/{name}"), want_scores, f"scores of {name}")

# ---- a Transformer on the texts, with fields beside words and dropout of both, texts cut off
os.rename(f"{folder}/shop/products.tsv", f"{folder}/shop/plain.tsv")
with open(f"{folder}/shop/plain.tsv") as a, open(f"{folder}/shop/products.tsv", "w") as b:
    for i, line in enumerate(a):
        b.write(line.rstrip("\n") + (f"\t{'xyz'[i % 3]}\n" if i else "\tshelf\n"))
SPLIT_DAYS = ("--valid-from", "110", "--test-from", "130")
good(run("prepare", "shop", f"{folder}/shop", *SPLIT_DAYS, "--product-fields", "shelf", "-o", f"{folder}/fields.h5"), "fields")
READS = ["--set", f"data.path={folder}/fields.h5", "--set", "model.text=both", "--set", "model.heads=2", "--set", "model.context=1"]
want = None
for ranks, threads in ((1, 2), (4, 1)):
    good(train(f"both-{ranks}", *READS, ranks=ranks, threads=threads), f"text both on {ranks}")
    want = want or hashes(f"{folder}/both-{ranks}")
    equal(hashes(f"{folder}/both-{ranks}"), want, f"text both on {ranks} ranks")
    equal(scores(f"{folder}/both-{ranks}"), scores(f"{folder}/both-1"), f"scores on {ranks} ranks")
good(train("both-resumed", *READS, "--set", "train.steps=5", ranks=2), "to step 5")
good(train("both-resumed", *READS, "--resume", ranks=3), "resumed")
equal(hashes(f"{folder}/both-resumed"), want, "resumed on 3 ranks")
good(train("encoder", "--set", "model.text=encoder", "--set", "model.ids=false", "--set", "train.steps=150",
           "--set", "model.id_drop=0", "--set", "sampler.negatives=0", "--set", "eval.every=150"), "encoder")
check(float(rows(f"{folder}/encoder")[-1]["valid_cold_recall"]) > 0.5, "it reads words")
one_line(train("alone", *READS, "--set", "model.text=encoder"), 78, "model.text", "product.shelf", "both")
one_line(train("heads", *READS, "--set", "model.heads=3"), 78, "model.heads")
one_line(train("idle", "--set", "model.heads=2"), 78, "model.heads", "model.text")

# ---- resumed on other ranks, replayed
good(train("resumed", "--set", "train.steps=5", ranks=2), "to step 5")
good(train("resumed", "--resume", ranks=3), "resumed")
equal(hashes(f"{folder}/resumed"), hashes(f"{folder}/softmax-1x1"), "resumed on 3 ranks")
good(run("verify", f"{folder}/softmax-1x1", ranks=3), "verify")

# ---- it learns: what a customer has not bought is of its word
good(train("long", "--set", "train.steps=150", "--set", "sampler.negatives=0", "--set", "eval.every=150"), "long")
last = rows(f"{folder}/long")[-1]
check(float(last["valid_recall"]) > 0.7, f"recall {last['valid_recall']}")
check(float(last["valid_cold_recall"]) > 0.5, f"recall of new products {last['valid_cold_recall']}")
check(0.6 < float(last["test_auc"]) <= 1, f"AUC {last['test_auc']}")

# ---- predictions: everybody gets some, also from data with new customers and products
good(run("predict", f"{folder}/long", "-o", f"{folder}/p1.tsv", "--top", "5"), "predict")
good(run("predict", f"{folder}/long", "-o", f"{folder}/p3.tsv", "--top", "5", ranks=3), "predict on 3 ranks")
with open(f"{folder}/p1.tsv") as a, open(f"{folder}/p3.tsv") as b:
    lines = a.read()
    equal(b.read(), lines, "predictions on 3 ranks")
equal(lines.splitlines()[0], "customer\tproduct\tknown\tscore", "head")
good(run("predict", f"{folder}/long", "-o", f"{folder}/p1.tsv", "--top", "2"), "over a file of predictions")
check(sum(line.startswith("new1\t") for line in lines.splitlines()) == 6, "a customer with one purchase")
shop("later", customers=65, products=45, extra="newest\tp44\t149\n")
with open(f"{folder}/later/products.tsv", "a") as file:
    file.write("never\tred clock\n")
write(f"{folder}/later/customers.tsv", "customer\nnobody\n")
good(prepare("later", "--vocabulary", f"{folder}/shop.h5"), "prepare with a vocabulary")
result = run("predict", f"{folder}/long", "-o", f"{folder}/later.tsv", "--top", "50", "--data", f"{folder}/later.h5")
good(result, "predict other data")
with open(f"{folder}/later.tsv") as file:
    lines = file.read().splitlines()
check(sum(line.startswith("nobody\t") for line in lines) == 46, "who has bought nothing gets all products")
check(any(line.split("\t")[1] == "never" for line in lines), "a product that was never sold is recommended")
check("nan" not in "".join(lines), "no score is NaN")
good(prepare("later", "--min-count", "8"), "prepare without the vocabulary")
one_line(run("predict", f"{folder}/long", "-o", f"{folder}/x.tsv", "--data", f"{folder}/later.h5"), 65, "--vocabulary")

# ---- what is left to evaluate on
result = train("until", "--set", "data.until=valid", "--set", "train.steps=2", "--set", "eval.every=2")
good(result, "until valid")
check("nothing to validate with" in result.err, "told that nothing validates")
check("valid_recall" not in rows(f"{folder}/until")[-1], "no scores of what was trained on")
one_line(train("patient", "--set", "data.until=valid", "--set", "train.patience=2"), 78, "train.patience", "data.until")
one_line(train("short", "--set", "sampler.first_day=100"), 78, "sampler.first_day", "sampler.month")
one_line(train("nothing", "--set", "model.text=none", "--set", "model.ids=false"), 78, "model.text", "model.ids")

# ---- times, and tables that are wrong
HEAD = "customer\tproduct\ttime\n"
PRODUCTS = "product\tdescription\np0\tred lamp\np1\tred clock\np2\tblue lamp\np3\tblue clock\n"


def table(name, purchases, products=PRODUCTS, head=HEAD):
    write(f"{folder}/{name}/purchases.tsv", head + purchases)
    write(f"{folder}/{name}/products.tsv", products)


PLAIN = "a\tp0\t%s\nb\tp1\t%s\na\tp2\t%s\nb\tp3\t%s\n"
SPLIT = ("--valid-days", "10", "--test-days", "10", "--min-count", "1")
table("dates", PLAIN % ("2011-02-27", "2011-02-28 10:15", "2011-03-15T08:00:05", "2011-03-29 23:59:59"))
result = prepare("dates", *SPLIT)
good(result, "dates")
check("days 0 to 10 to train on" in result.err and "days 21 to 30 to test" in result.err, f"days: {result.err}")
table("seconds", PLAIN % ("0", "86400", "1300000", "2600000"))
good(prepare("seconds", "--time-unit", "second", *SPLIT), "seconds")
one_line(prepare("seconds", *SPLIT), 65, "--time-unit second")
table("format", PLAIN % ("2011-02-27", "27/02/2011", "2011-03-20", "2011-03-29"))
one_line(prepare("format", *SPLIT), 65, "purchases.tsv:3", "27/02/2011", "2011-12-09")
table("mixed", PLAIN % ("2011-02-27", "5", "2011-03-20", "2011-03-29"))
one_line(prepare("mixed", *SPLIT), 65, "purchases.tsv:3", "'5'", "date")
table("column", PLAIN % (1, 2, 3, 4), head="customer\tproduct\tday\n")
one_line(prepare("column", *SPLIT), 64, "'time'", "--time")
good(prepare("column", "--time", "day", "--valid-days", "1", "--test-days", "1", "--min-count", "1"), "a column by its name")
table("text", PLAIN % (1, 12, 22, 31), PRODUCTS.replace("blue clock", ""))
result = prepare("text", *SPLIT)
good(result, "a product without a text")
check("1 product without a known word" in result.err, f"told: {result.err}")
table("twice", PLAIN % (1, 12, 22, 31), PRODUCTS + "p0\tgreen lamp\n")
one_line(prepare("twice", *SPLIT), 65, "products.tsv:6", "'p0'")
one_line(prepare("text", "--test-from", "40", "--valid-from", "20"), 65, "--test-from", "day 30")
one_line(prepare("text", "--test-from", "21", "--valid-from", "0"), 65, "before the part to validate")
one_line(prepare("text", "--valid-from", "13", "--test-from", "20"), 65, "nothing was bought in the part to validate")
one_line(prepare("text", *SPLIT, "--text", "name"), 64, "'name'", "--text")
finish()
