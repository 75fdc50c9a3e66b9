"""trireme sweep: values of keys, seeds and splits; the bits of each run, a kill and a resume, runs that fail,
and what is refused."""
import csv
import shutil

from values import *

folder = temp_folder()
data = table(folder, "kind", n=300, more=("--folds", "3"))
path = f"{folder}/mlp.yaml"
with open(path, "w") as file:
    file.write(f"data: {{path: {data}}}\nmodel: {{kind: mlp, widths: 16, dropout: 0.1}}\n"
               "batch: {size: 40, blocks: 4}\ntrain: {steps: 24}\n"
               "eval: {every: 8, select: accuracy}\ncheckpoint: {every: 8}\n"
               "log: {every: 1, tensorboard: false}\n")


def sweep(run_dir, *more, **how):
    return run("sweep", path, "--set", f"run.dir={run_dir}", *more, **how)


def table_of(name):
    with open(name, newline="") as file:
        return list(csv.DictReader(file))


def runs_of(run_dir):
    return sorted(x for x in os.listdir(run_dir) if os.path.isdir(f"{run_dir}/{x}"))


# ---- the same runs and tables on 1 and 3 ranks; the bits of a run are those that it has alone
GRID = ("--grid", "optimizer.name=adam,sgd", "--grid", "data.augment=[],[noise 0.1, drop 0.1]",
        "--splits", "0,2", "--seeds", "3")
first = ("optimizer.name-adam_data.augment-_split_0_seed_3",
         "optimizer.name-sgd_data.augment-noise-0.1--drop-0.1_split_2_seed_3")
for ranks in (1, 3):
    result = sweep(f"{folder}/a{ranks}", *GRID, ranks=ranks)
    if not good(result, f"a sweep on {ranks} ranks"):
        finish()
    lines = [line for line in result.lines() if line.startswith("run ")]
    equal(len(lines), 8, "lines of runs")
    check(all("valid_accuracy" in line and "test_accuracy" in line and "(step" in line for line in lines),
          result.err)
    check(result.out.count(" +- ") == 8 + 1 and "* best mean valid_accuracy" in result.out, result.out)
equal(runs_of(f"{folder}/a1"), runs_of(f"{folder}/a3"), "folders")
for name in ("sweep.csv", "points.csv"):
    with open(f"{folder}/a1/{name}") as one, open(f"{folder}/a3/{name}") as other:
        equal(one.read(), other.read(), name)
rows_of = {row["run"]: row for row in table_of(f"{folder}/a1/sweep.csv")}
equal(set(rows_of), set(runs_of(f"{folder}/a1")), "rows")
with open(f"{folder}/a1/report.html") as file:
    check("<svg" in file.read(), "the page of a sweep")
row = rows_of.get(first[1], {})
equal((row.get("outcome"), row.get("optimizer.name"), row.get("data.augment"), row.get("split"), row.get("seed")),
      ("done", "sgd", "noise 0.1, drop 0.1", "2", "3"), "a row")
alone = ("--set", "optimizer.name=sgd", "--set", "data.augment=noise 0.1, drop 0.1", "--set", "run.seed=3",
         "--set", "data.split=2")
good(train(path, f"{folder}/alone", *alone), "a run alone")
check(hashes(f"{folder}/a3/{first[1]}") == hashes(f"{folder}/alone"), "bits of a run")
point = table_of(f"{folder}/a1/points.csv")[0]
both = [float(rows_of[f"optimizer.name-adam_data.augment-_split_{k}_seed_3"]["test_accuracy"]) for k in (0, 2)]
check(abs(float(point["test_accuracy"]) - sum(both) / 2) < 1e-8, f"{point}, {both}")
check(abs(float(point["test_accuracy_deviation"]) - abs(both[0] - both[1]) / 2 ** 0.5) < 1e-8, f"{point}, {both}")

# ---- killed in the middle: finished runs are not repeated, the others go on, and end the same
one_line(sweep(f"{folder}/a1", *GRID), 64, "--resume", "a1")
LONG = ("--grid", "model.dropout=0,0.3", "--seeds", "1-2", "--set", "train.steps=700", "--set",
        "checkpoint.every=50", "--set", "eval.every=350", "--set", "log.every=20")
good(sweep(f"{folder}/whole", *LONG, ranks=2), "an undisturbed sweep")
process = start("sweep", path, "--set", f"run.dir={folder}/cut", *LONG, ranks=2)
wait_for(lambda: os.path.isdir(f"{folder}/cut/model.dropout-0.3_seed_1/checkpoints") and
         any(x > "step_00000100" for x in os.listdir(f"{folder}/cut/model.dropout-0.3_seed_1/checkpoints")),
         60, "a third run on its way")
os.killpg(process.pid, signal.SIGKILL)
process.communicate()
finished = f"{folder}/cut/model.dropout-0_seed_1/checkpoints/step_00000700.h5"
before = os.stat(finished).st_mtime_ns if check(os.path.exists(finished), "a finished run") else 0
result = sweep(f"{folder}/cut", *LONG, "--resume", ranks=3)
good(result, "resumed")
if before:
    equal(os.stat(finished).st_mtime_ns, before, "a finished run is left alone")
for name in runs_of(f"{folder}/whole"):
    cut, whole = hashes(f"{folder}/cut/{name}"), hashes(f"{folder}/whole/{name}")
    check(all(cut[step] == whole[step] for step in whole), f"bits of {name}")
equal(table_of(f"{folder}/cut/points.csv"), table_of(f"{folder}/whole/points.csv"), "points.csv")

# ---- runs that fail: a line each, the others are in the table
result = sweep(f"{folder}/bad", "--grid", "optimizer.lr=0.01,1e30", "--set", "optimizer.name=sgd", "--set",
               "optimizer.clip_norm=0", "--seeds", "0-2", ranks=2)
equal(result.code, 76, f"a sweep in which runs diverge\n{result.err}")
failed = [line for line in result.lines() if ": failed: " in line]
equal(len(failed), 3, f"lines of failed runs\n{result.err}")
equal(len(result.lines()), 1 + 6 + 2, f"lines\n{result.err}")
check("3 of 6 runs failed" in result.lines()[-1], result.err)
equal([row["outcome"] for row in table_of(f"{folder}/bad/sweep.csv")], ["done"] * 3 + ["failed"] * 3, "outcomes")

# ---- what is refused
for words, parts in ((("--grid", "optimizer.lr"), ("KEY=VALUE",)),
                     (("--grid", "optimizer.lr="), ("KEY=VALUE",)),
                     (("--grid", "data.augment=[noise 0.1"), ("brackets",)),
                     (("--grid", "optimizer.lr=1,1"), ("twice",)),
                     (("--grid", "optimizer.lr=1", "--grid", "optimizer.lr=2"), ("twice",)),
                     (("--grid", "run.dir=a,b"), ("run.dir", "--set")),
                     (("--grid", "run.seed=1,2", "--seeds", "0-1"), ("run.seed", "--seeds")),
                     (("--grid", "data.split=1,2", "--splits", "all"), ("data.split", "--splits")),
                     ((), ("--grid", "--seeds", "--splits"))):
    one_line(sweep(f"{folder}/x", *words), 64, *parts)
one_line(sweep(f"{folder}/x", "--grid", "optimizer.lrr=1"), 78, "--grid", "optimizer.lr")
one_line(sweep(f"{folder}/x", "--grid", "optimizer.name=adam,muon", "--set", "optimizer.beta2=0.9"), 78,
         "error: the configuration: optimizer.beta2", "point optimizer.name-muon")
one_line(sweep(f"{folder}/x", "--grid", "optimizer.lr=1,-1", ranks=2), 78, "--grid", "-1", "point optimizer.lr--1")
one_line(sweep(f"{folder}/x", "--splits", "5", ranks=2), 64, "--splits", "0 to 2")
check(not os.path.exists(f"{folder}/x"), "what is refused leaves nothing")
shutil.rmtree(folder)
finish()
