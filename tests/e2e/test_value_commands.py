"""evaluate and predict on rows and images: the same on every number of ranks, in the user's units and by the
model's names; other files of the same columns; files that do not fit."""
import csv

from values import *

folder = temp_folder()
configs = configs_of(folder, steps=24, every=12)
runs = {name: f"{folder}/run-{name}" for name in configs}
for name in configs:
    good(train(configs[name], runs[name], "--set", "data.augment="), f"train {name}")


def predicted(name, *more, ranks=1, to="out"):
    path = f"{folder}/{to}.tsv"
    result = run("predict", runs[name], "-o", path, *more, ranks=ranks)
    good(result, f"predict {name} {more}")
    with open(path, newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


# ---- evaluate says what training said; predict the same on all ranks
for name in configs:
    last = scores(runs[name])[-1]
    told = {ranks: run("evaluate", runs[name], ranks=ranks) for ranks in (1, 3, 4)}
    good(told[1], f"evaluate {name}")
    for key, value in last.items():
        if key.startswith(("valid_", "test_")) and key != "valid_loss":
            check(any(line.split() == [key, f"{float(value):.6f}"] for line in told[1].out.splitlines()),
                  f"{name}: {key} {value} in {told[1].out}")
    for ranks in (3, 4):
        equal(told[ranks].out, told[1].out, f"evaluate {name} on {ranks}")
    want = predicted(name)
    equal(len(want), 240, f"{name}: predictions")
    equal(predicted(name, ranks=2), want, f"predict {name} on 2 ranks")

# ---- what predictions say
truth = list(csv.DictReader(table_rows(240).splitlines()))
prices = predicted("price")
mean = sum(float(row["price"]) for row in truth) / 240
errors = [(float(p["prediction"]) - float(t["price"])) ** 2 for p, t in zip(prices, truth)]
spread = sum((float(t["price"]) - mean) ** 2 for t in truth)
check(sum(errors) < 0.8 * spread, f"prices in their own unit: {sum(errors)} of {spread}")
check(all(abs(float(p["target"]) - float(t["price"])) < 1e-3 for p, t in zip(prices, truth)), "targets of prices")
kinds = predicted("kind")
check(sum(p["class_name"] == t["kind"] for p, t in zip(kinds, truth)) > 150, "names of kinds")
check(all(1 / 3 <= float(p["probability"]) <= 1 for p in kinds), "probabilities of kinds")
names = ["hot", "new", "red"]
for p, t in zip(predicted("tags"), truth):
    classes = [int(c) for c in p["classes"].split(",") if c]
    equal(p["class_names"], ",".join(names[c] for c in classes), "names of tags")
    equal(len(p["probabilities"].split(",")) if classes else 0, len(classes), "probabilities of tags")
    check(all(0.5 < float(x) <= 1 for x in p["probabilities"].split(",") if x), f"probabilities {p}")
    equal(",".join(names[int(c)] for c in p["labels"].split(",") if c),
          ",".join(sorted(t["tags"].split("|")) if t["tags"] else []), "labels of tags")

# ---- another file: levels have other numbers, some are new; rows are the same where they are known
text = table_rows(240)
for name in ("price", "kind", "tags"):
    lines = text.splitlines()
    for new in ("aqua", "beige"):  # before all the others: their numbers move on
        lines.append(f"0.1,5,100,{new},north,30,fair,new")
    path = write(f"{folder}/{name}-more.csv", "\n".join(lines) + "\n")
    other = prepare(folder, f"{name}-more", "table", path, *TARGETS[name], "--test-share", "0.2")
    got = predicted(name, "--data", other, ranks=2)
    equal((len(got), got[:240]), (242, predicted(name)), f"{name}: levels by their names")
    check(got[240] == {**got[241], "sample": "240"}, f"{name}: levels never seen are alike {got[240:]}")
    good(run("evaluate", runs[name], "--data", other, ranks=2), f"evaluate {name} on another file")

# ---- other classes
path = write(f"{folder}/kind-other.csv", text.replace(",cheap,", ",bargain,"))
other = prepare(folder, "kind-other", "table", path, *TARGETS["kind"])
one_line(run("evaluate", runs["kind"], "--data", other, ranks=2), 65, "does not know: bargain (it knows cheap, dear, fair)")
got = predicted("kind", "--data", other)
equal([(p["class"], p["probability"], p["class_name"]) for p in got],
      [(p["class"], p["probability"], p["class_name"]) for p in kinds], "predictions are of the model's classes")
equal({p["label"] for p in got}, {"", "1", "2"}, "labels that the model knows")
path = write(f"{folder}/tags-other.csv", text.replace("hot", "zzz"))
other = prepare(folder, "tags-other", "table", path, *TARGETS["tags"])
equal({c for p in predicted("tags", "--data", other) for c in p["labels"].split(",")}, {"", "1", "2"}, "known tags")
small = prepare(folder, "two", "table", write(f"{folder}/two.csv", "".join(
    line + "\n" for line in text.splitlines() if ",cheap," not in line)), *TARGETS["kind"])
good(run("evaluate", runs["kind"], "--data", small), "evaluate on two of three classes")
equal(len(predicted("kind", "--data", small)), text.count(",dear,") + text.count(",fair,"), "fewer classes")

# ---- files that do not fit
fewer = "\n".join(",".join(line.split(",")[1:]) for line in text.splitlines()) + "\n"
renamed = text.replace("x,y,z", "x,w,z", 1)
for name, content, part in (("fewer", fewer, "has 2 columns of numbers, but"),
                            ("renamed", renamed, "column 2 of numbers is 'w', but")):
    other = prepare(folder, name, "table", write(f"{folder}/{name}.csv", content), *TARGETS["kind"])
    for command in (["evaluate"], ["predict", "-o", f"{folder}/none.tsv"]):
        one_line(run(command[0], runs["kind"], "--data", other, *command[1:], ranks=2), 65, part)
larger = images(folder, "larger", n=40, side=14)
other = table(folder, "price", "again")
for command in (["evaluate"], ["predict", "-o", f"{folder}/none.tsv"]):
    one_line(run(command[0], runs["bars"], "--data", larger, *command[1:], ranks=2), 65,
             "larger.h5 has images of 14 x 14 pixels and 1 channels, but", "was trained on 12 x 12 and 1")
    one_line(run(command[0], runs["kind"], "--data", larger, *command[1:], ranks=2), 65, "inputs of kind image")
    one_line(run(command[0], runs["kind"], "--data", other, *command[1:], ranks=2), 65, "targets of kind number")
finish()
