"""Commands on graphs: sweeps over seeds and splits, evaluate, predict, partition, inspect, --check; and
what is refused, with its line."""
import os
import random
import re

from graphs import *

folder = temp_folder()
data = prepare("graph", nodes_folder(f"{folder}/nodes"))
sets = prepare("graphs", set_folder(f"{folder}/sets"))
pairs = prepare("interactions", pairs_folder(f"{folder}/pairs"))
GCN = "model: {kind: gcn, layers: 2, width: 16, dropout: 0.5, activation: relu}\nbatch: {blocks: 4}"
GIN = ("model: {kind: gin, layers: 2, width: 8, norm: batch, readout: sum, activation: relu}\n"
       "batch: {size: 12, blocks: 4}")
LIGHTGCN = "model: {kind: lightgcn, layers: 2, width: 8}\nbatch: {size: 64, blocks: 4}"
gcn = config(f"{folder}/gcn.yaml", data, GCN, steps=30)
gin = config(f"{folder}/gin.yaml", sets, GIN)
light = config(f"{folder}/light.yaml", pairs, LIGHTGCN, steps=60)


def last(run_dir):
    return [r for r in rows(run_dir) if r["valid_loss"]][-1]


# ---- sweeps: as many runs as asked for, the same on any number of ranks
tables = []
for ranks in (1, 3):
    run_dir = f"{folder}/seeds-{ranks}"
    result = train(gcn, run_dir, "--seeds", "0-3", ranks=ranks)
    if good(result, f"--seeds on {ranks} ranks"):
        check("over 4 runs" in result.out, result.out)
        tables.append([line for line in result.out.splitlines() if "accuracy" in line])
        equal(sorted(x for x in os.listdir(run_dir) if os.path.isdir(f"{run_dir}/{x}")),
              [f"seed_{i}" for i in range(4)], "runs")
check(len(tables) == 2 and tables[0] == tables[1], f"tables differ: {tables}")
check(hashes(f"{folder}/seeds-1/seed_0") != hashes(f"{folder}/seeds-1/seed_1"), "seeds make no difference")
result = train(gcn, f"{folder}/seeds-1", "--seeds", "0-3", "--resume", ranks=2)
good(result, "a sweep resumed")
check("over 4 runs" in result.out, result.out)
result = train(gin, f"{folder}/folds", "--splits", "all", ranks=2)
good(result, "--splits all")
check("over 10 runs" in result.out and "all at step" in result.out, result.out)
result = train(gin, f"{folder}/folds2", "--splits", "0,3", "--seeds", "1-2", "--set",
               "data.hold_out=false", ranks=4)
good(result, "splits and seeds")
check("over 4 runs" in result.out, result.out)
for bad in ("3-1", "9223372036854775807", "1,1"):
    one_line(train(gcn, f"{folder}/x", "--seeds", bad), 64, "--seeds", bad)

# a slash at the end of run.dir changes no name; runs that stopped or were not gone on with are not averaged,
# nor is one whose table cannot be read, and the others still are
result = train(gcn, f"{folder}/slash/", "--seeds", "0-2")
good(result, "run.dir with a slash")
check("(seed_0): valid_accuracy " in result.err and ", test_accuracy " in result.err, result.err)
with open(f"{folder}/slash/sweep.csv") as file:
    equal([line.split(",")[0] for line in file.read().splitlines()[1:]], ["seed_0", "seed_1", "seed_2"],
          "runs in sweep.csv")
result = train(gcn, f"{folder}/slash", "--seeds", "0-2", "--resume", "--set", "train.steps=100000",
               "--set", "train.time_budget_s=0.01")
equal(result.code, 75, f"a sweep stopped\n{result.err}")
check("over" not in result.out, result.out)
check("run 1 of 3 (seed_0): stopped at step" in result.err, result.err)
check("3 of 3 runs are not in the table: 0 failed, 3 stopped or not begun" in result.err, result.err)
write(f"{folder}/seeds-1/seed_2/metrics.csv", ["junk"])
result = train(gcn, f"{folder}/seeds-1", "--seeds", "0-3", "--resume")
equal(result.code, 65, f"a sweep with a run that cannot be read\n{result.err}")
check("over 3 runs" in result.out, result.out)
check("(seed_2): failed: " in result.err and "metrics.csv" in result.err, result.err)
check("1 of 4 runs is not in the table: 1 failed" in result.err, result.err)
one_line(train(light, f"{folder}/x", "--splits", "all"), 64, "--splits", "interactions")

# ---- evaluate and predict say what training said
for path, name, what in ((gcn, "gcn", "test_accuracy"), (gin, "gin", "test_accuracy"),
                         (light, "light", "test_recall")):
    run_dir = f"{folder}/run-{name}"
    if not good(train(path, run_dir, ranks=2), name):
        continue
    want = last(run_dir)
    for ranks in (1, 3):
        result = run("evaluate", run_dir, ranks=ranks)
        good(result, f"evaluate {name}")
        shown = {line.split()[0]: line.split()[1] for line in result.out.splitlines()[1:]}
        check(abs(float(shown[what]) - float(want[what])) < 1e-6,
              f"{name}: {shown} evaluated, {want} in training")
    out = f"{folder}/{name}.tsv"
    result = run("predict", run_dir, "-o", out, "--top", 5, ranks=2)
    good(result, f"predict {name}")
    with open(out) as file:
        lines = file.read().splitlines()
    equal(len(lines) - 1, {"gcn": 240, "gin": 40, "light": 300}[name], f"{name}: predictions")
    result = run("inspect", f"{run_dir}/checkpoints/best.h5")
    good(result, f"inspect {name}")
    check(f"best          {what.split('_')[1]} " in result.out, result.out)
check(float(last(f"{folder}/run-light")["test_recall"]) > 0.3, "two tastes are not learned")
check(float(last(f"{folder}/run-gcn")["test_accuracy"]) > 0.5, "classes are not learned")

# predictions agree with the score
with open(f"{folder}/gcn.tsv") as file:
    table = [line.split("\t") for line in file.read().splitlines()[1:]]
with open(f"{folder}/nodes/test.txt") as file:
    test = {int(line) for line in file}
right = sum(row[1] == row[3] for row in table if int(row[0]) in test) / len(test)
check(abs(right - float(last(f"{folder}/run-gcn")["test_accuracy"])) < 1e-6, "predictions and score differ")

# ---- a run that stopped early by patience is complete, and stays so
result = train(gcn, f"{folder}/patient", "--set", "train.patience=10", "--set", "train.steps=3000",
               "--set", "optimizer.lr=0.05", ranks=2)
good(result, "patience")
steps = max(hashes(f"{folder}/patient"))
check(10 <= steps < 3000, f"patience ended at step {steps}")
good(train(gcn, f"{folder}/patient", "--set", "train.patience=10", "--set", "train.steps=3000",
           "--set", "optimizer.lr=0.05", "--resume", ranks=1), "resumed after patience")
equal(max(hashes(f"{folder}/patient")), steps, "steps after a resume of a run that had ended")

# Another way to compare evaluations ends the run elsewhere.
other = ["--set", "train.patience=10", "--set", "train.steps=3000", "--set", "optimizer.lr=0.05", "--set",
         "eval.select=loss", "--resume"]
result = train(gcn, f"{folder}/patient", *other, ranks=1)
equal(result.code, 78, "another eval.select, which patience goes by")
check("train.patience goes by evaluations" in result.err, result.err)
result = train(gcn, f"{folder}/patient", *other, "--allow-changes", ranks=1)
good(result, "resumed with another eval.select")
check("by loss now, not by accuracy: none is the best yet" in result.err, result.err)

# ---- rows are not added to a table of other columns
with open(f"{folder}/patient/metrics.csv") as file:
    kept = file.read()
with open(f"{folder}/patient/metrics.csv", "w") as file:
    file.write(kept.replace(",valid_mcc,", ",", 1))
result = train(gcn, f"{folder}/patient", "--set", "train.patience=0", "--set", "train.steps=3000", "--set",
               "optimizer.lr=0.05", "--resume", "--allow-changes", ranks=2)
equal(result.code, 65, "resumed beside a table of other columns")
check("metrics.csv: has other columns" in result.err and "move it away" in result.err, result.err)

# ---- verify replays a run on another layout
good(train(gcn, f"{folder}/kept", "--set", "checkpoint.initial=true", "--set", "checkpoint.keep=9",
           ranks=2), "a run that keeps its beginning")
good(run("verify", f"{folder}/kept", "--from", "0", ranks=3), "verify gcn")

# ---- other data of the model's classes: by name, whichever numbers they have; nodes by the tables' numbers
random_ = random.Random(4)
kinds = [("xa", "xb", "xc")[i % 3] for i in range(60)]
write(f"{folder}/from1.tsv", (f"{i + 1}\t{(i + 3 * random_.randrange(1, 9)) % 60 + 1}" for i in range(60)))
write(f"{folder}/from1-dense.tsv", (f"{i % 3 + random_.random():.3f}\t{random_.random():.3f}" for i in range(60)))
runs_on = {}
for name, kept in (("all", "xa xb xc"), ("some", "xb xc"), ("more", "xa xb xc new")):
    labels = ["new" if name == "more" and i > 57 else kind for i, kind in enumerate(kinds)]
    write(f"{folder}/{name}.tsv", (f"{i + 1}\t{label}" for i, label in enumerate(labels) if label in kept.split()))
    runs_on[name] = f"{folder}/{name}.h5"
    good(run("prepare", "graph", "--edges", f"{folder}/from1.tsv", "--features-dense", f"{folder}/from1-dense.tsv",
             "--labels", f"{folder}/{name}.tsv", "--base", 1, "--valid-share", "0.2", "--test-share", "0.3", "-o",
             runs_on[name]), f"prepare {name}")
named = f"{folder}/named"
good(train(gcn, named, "--set", f"data.path={runs_on['all']}"), "train on names")
result = run("evaluate", named, "--data", runs_on["some"], ranks=2)
good(result, "evaluate on some of the classes")
check("some.h5: note: its classes have other numbers" in result.err, result.err)
right = sum(float(part) * n for part, n in zip(re.findall(r"_accuracy +([0-9.]+)", result.out), (20, 8, 12)))
shown = run("predict", named, "--data", runs_on["some"], "-o", "-")
table = [line.split("\t") for line in shown.out.splitlines()[1:]]
check(abs(right - sum(row[1] == row[3] for row in table)) < 1e-3, f"labels by their names: {right} {result.out}")
equal([row[5] for row in table], [str(i + 1) for i in range(60)], "nodes by the numbers of the tables")
one_line(run("evaluate", named, "--data", runs_on["more"]), 65, "has 2 nodes of classes that", "new (it knows xa, xb, xc)")
shown = run("predict", named, "--data", runs_on["more"], "-o", "-")
good(shown, "predict on more classes")
check("note: 2 nodes are of classes that the model does not know: new" in shown.err, shown.err)
equal([line.split("\t")[3] for line in shown.out.splitlines()[-3:]], ["0", "", ""], "no label")

# ---- --check, inspect, partition
result = train(gcn, f"{folder}/checked", "--check", ranks=2)
good(result, "--check")
check("240 nodes" in result.out and "activations" in result.out, result.out)
for path, part in ((data, "240"), (sets, "40"), (pairs, "60")):
    result = run("inspect", path)
    good(result, "inspect")
    check(part in result.out, result.out)
result = run("partition", data, "--parts", "2,4")
good(result, "partition")
check("cut" in result.out, result.out)

# ---- what is refused
one_line(train(gcn, f"{folder}/x", "--set", f"data.path={pairs}"), 78, "gcn", "interactions")
one_line(train(gcn, f"{folder}/x", "--set", f"data.path={sets}"), 78, "model.readout")
one_line(train(light, f"{folder}/x", "--set", f"data.path={data}"), 78, "lightgcn", "graph")
one_line(train(gcn, f"{folder}/x", "--set", "data.split=9"), 78, "data.split", "9")
one_line(train(gcn, f"{folder}/x", "--set", "eval.select=auc"), 78, "eval.select", "auc")
one_line(train(gcn, f"{folder}/x", "--set", "sampler.threads=2", "--seeds", "0-3"), 78, "--set", "sampler.threads",
         "has no effect here")
for given in ("model.jumping=max", "model.block=residual"):
    one_line(train(gcn, f"{folder}/x", "--set", "model.kind=gat", "--set", "model.out_heads=2", "--set", given), 78,
             "model.out_heads is 2", "set it to 1")
one_line(train(gcn, f"{folder}/x", "--set", "model.kind=gin", "--set", "model.block=residual", "--set",
               "model.feed_forward=false"), 78, "model.feed_forward has no effect here")
one_line(train(gcn, f"{folder}/x", "--set", "data.storage=partitioned"), 78, "data.storage", "sparse")
one_line(train(gcn, f"{folder}/x", ranks=5), 78, "batch.blocks", "5 ranks")
one_line(train(gcn, f"{folder}/x", "--set", "sampler.kind=neighbor", "--set", "sampler.fanout=a,2"),
         78, "sampler.fanout", "a,2")
one_line(train(gcn, f"{folder}/x", "--set", "sampler.kind=neighbor", "--set", "sampler.fanout=5,4,3"),
         78, "sampler.fanout", "2")
one_line(train(gcn, f"{folder}/x", "--set", "sampler.kind=neighbor", "--set", "batch.size=500"), 78,
         "batch.size", "500", "120")
one_line(train(gin, f"{folder}/x", "--set", "batch.size=33"), 78, "batch.size", "32")
one_line(train(light, f"{folder}/x", "--set", "batch.size=481"), 78, "batch.size", "480")
one_line(train(gcn, f"{folder}/x", "--set", "schedule.name=step"), 78, "schedule.step_every")
one_line(train(gcn, f"{folder}/x", "--set", "train.patience=3", "--set", "eval.every=0"), 78,
         "eval.every")
one_line(train(gin, f"{folder}/x", "--splits", "8-12"), 64, "8-12", "10")
one_line(run("evaluate", f"{folder}/seeds-1"), 64, "sweep")

# ---- a data set with a changed byte
for path in (data, sets, pairs):
    with open(path, "rb") as file:
        content = bytearray(file.read())
    content[len(content) * 2 // 3] ^= 4
    with open(f"{folder}/flipped.h5", "wb") as file:
        file.write(content)
    one_line(run("inspect", f"{folder}/flipped.h5"), 65, "flipped.h5")

# ---- outputs: no device, pipe, folder or HDF5 file is written over, a link stays
run_gcn = f"{folder}/run-gcn"
os.mkfifo(f"{folder}/pipe")
os.symlink("nowhere", f"{folder}/dangling")
for place, code, part in ((f"{folder}/pipe", 74, "pipe"), (folder, 64, "folder"),
                          (f"{folder}/dangling", 74, "leads to no file"), (data, 64, "--force"),
                          (f"{run_gcn}/checkpoints/best.h5", 64, "--force")):
    one_line(run("predict", run_gcn, "-o", place), code, place, part)
one_line(run("prepare", "graph", f"{folder}/nodes", "-o", f"{folder}/pipe"), 74, "pipe")
write(f"{folder}/target.tsv", [])
os.symlink("target.tsv", f"{folder}/link")
good(run("predict", run_gcn, "-o", f"{folder}/link"), "predict into a link")
check(os.path.islink(f"{folder}/link") and os.path.getsize(f"{folder}/target.tsv") > 0, "a link")
one_line(train(gcn, f"{folder}/x", "--set", "sampler.kind=cluster"), 78, "sampler.clusters")
one_line(train(gcn, f"{folder}/x", "--set", "model.kind=gat", "--set", "model.heads=3"), 78,
         "model.heads", "3")
one_line(train(gcn, f"{folder}/x", "--set", "sampler.kind=cluster", "--set", "sampler.clusters=200",
               "--set", "batch.size=150"), 78, "batch.size", "150", "training nodes")
for path in (gin, light):
    one_line(train(path, f"{folder}/x", "--set", "sampler.kind=neighbor"), 78, "sampler.kind has no effect",
             "data of kind graph")
bare = prepare("graph", nodes_folder(f"{folder}/bare", parts=(), labels=False))
one_line(train(gcn, f"{folder}/x", "--set", f"data.path={bare}"), 65, "no labels", "bare.h5")
unsplit = prepare("graph", nodes_folder(f"{folder}/unsplit", parts=()))
one_line(train(gcn, f"{folder}/x", "--set", f"data.path={unsplit}"), 78, "no splits", "prepare")
one_line(train(gcn, f"{folder}/x", "--set", f"data.path={unsplit}", "--splits", "all"), 78, "no splits")

# ---- data without labels or splits are predicted; without a valid part nothing is the best
out = f"{folder}/bare.tsv"
good(run("predict", f"{folder}/run-gcn", "-o", out, "--data", bare, ranks=2), "predict without labels")
with open(out) as file:
    lines = [line.split("\t") for line in file.read().splitlines()]
equal(len(lines), 241, "predictions of data without labels")
equal({line[3] for line in lines[1:]}, {""}, "labels of data without labels")
unheld = prepare("graph", nodes_folder(f"{folder}/unheld", parts=("train", "test")))
result = train(gcn, f"{folder}/unheld-run", "--set", f"data.path={unheld}")
good(result, "no valid part")
check("no node to validate with" in result.err and "(best)" not in result.err, result.err)
one_line(train(gcn, f"{folder}/x", "--set", f"data.path={unheld}", "--set", "train.patience=5"), 78,
         "train.patience", "validate")
result = train(gcn, f"{folder}/unheld-seeds", "--set", f"data.path={unheld}", "--seeds", "1-2")
good(result, "a sweep without a valid part")
with open(f"{folder}/listed.yaml", "w") as file: # a list of fan-outs, and one for all layers
    file.write(open(gcn).read() + "sampler: {kind: neighbor, fanout: [3, 3]}\n")
good(train(f"{folder}/listed.yaml", f"{folder}/listed", "--set", "batch.size=40"), "a list of fan-outs")
good(train(f"{folder}/listed.yaml", f"{folder}/single", "--set", "batch.size=40", "--set",
           "sampler.fanout=3"), "one fan-out")
equal(hashes(f"{folder}/listed"), hashes(f"{folder}/single"), "'3,3' and '3'")

one_line(run("generate", f"{folder}/run-gcn"), 78, "predict")
one_line(run("predict", f"{folder}/run-gcn"), 64, "-o")
finish()
