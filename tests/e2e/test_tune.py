"""trireme tune: the same journal on any ranks, a kill and a resume, what stays on disk, trials that go wrong, the
test part, inner folds and a search for each split, and what is refused."""
import csv
import re
import shutil
import statistics

from searches import *

folder = temp_folder()
config = set_up(folder)

# ---- the same journal, tables and best trial on 1, 2 and 4 ranks
asha = space(folder, "asha", "trials: 9, startup: 4, prune: asha, eta: 3, rungs: 2, parallel: 4, keep: 2, seed: 3")
for ranks in (1, 2, 4):
    result = run("tune", asha, "-o", f"{folder}/a{ranks}", ranks=ranks)
    if not good(result, f"a search on {ranks} ranks"):
        finish()
    equal(result.err.count("the test part is opened, once"), 1, "the test part")
    for name in ("journal.csv", "trials.csv", "importance.csv", "parallel.csv", "test.csv"):
        check(read(f"{folder}/a{ranks}/{name}") == read(f"{folder}/a1/{name}"), f"{name} on {ranks} ranks")
    check(len(with_checkpoints(f"{folder}/a{ranks}")) <= 2, f"checkpoints: {with_checkpoints(f'{folder}/a{ranks}')}")
check("test_accuracy" in result.out and "variance explained" in result.out, result.out)
with open(f"{folder}/a1/trials.csv", newline="") as file:
    trials = list(csv.DictReader(file))
equal([int(row["trial"]) for row in trials], list(range(9)), "trials")
check(all((row["optimizer.momentum"] == "") == (row["optimizer.name"] == "adam") for row in trials), "conditional")
check({row["outcome"] for row in trials} <= {"done", "given up", "diverged"}, f"{trials}")
whole = [row for row in trials if row["outcome"] == "done"]
best = max(whole, key=lambda row: float(row["accuracy"]))
check(f"trial,{best['trial']}\n" in read(f"{folder}/a1/test.csv"), "the best of full length is tested")
check(not any("test_" in read(f"{folder}/a1/trials/{name}/metrics.csv").splitlines()[0]
              for name in os.listdir(f"{folder}/a1/trials")), "trials leave the test part alone")
good(run("train", f"{folder}/a1/best.yaml", "--set", "eval.test=true", "--set", f"run.dir={folder}/best"), "best.yaml")

page = read(f"{folder}/a1/report.html")
check("variance of the ranks" in page and "<polyline" in page and "optimizer.momentum" in page, "the page of a search")

one_line(run("evaluate", f"{folder}/a1"), 64, "holds the trials of a search", "best.yaml")

# ---- a second look at a search that has ended changes and opens nothing
before = read(f"{folder}/a1/journal.csv"), read(f"{folder}/a1/test.csv")
result = run("tune", asha, "-o", f"{folder}/a1", "--resume", ranks=3)
good(result, "resumed at its end")
check("was opened when the search ended" in result.err and "is opened, once" not in result.err, result.err)
check(before == (read(f"{folder}/a1/journal.csv"), read(f"{folder}/a1/test.csv")), "journal and test stay")

# ---- killed and gone on with: no trial lost or repeated
process = start("tune", asha, "-o", f"{folder}/cut", ranks=2)
wait_for(lambda: os.path.exists(f"{folder}/cut/journal.csv") and read(f"{folder}/cut/journal.csv").count("\n") > 5,
         60, "some jobs")
os.killpg(process.pid, signal.SIGKILL)
process.communicate()
with open(f"{folder}/cut/journal.csv", "a") as file:
    file.write("7,3,\0\0\n")  # half a line, and what a host without power leaves
good(run("tune", asha, "-o", f"{folder}/cut", "--resume", ranks=3), "resumed")
check(read(f"{folder}/cut/journal.csv") == read(f"{folder}/a1/journal.csv"), "the journal of a search that was killed")
check(read(f"{folder}/cut/test.csv") == read(f"{folder}/a1/test.csv"), "its test")

# ---- a trial that was stopped on its way is not done
write(f"{folder}/endless.yaml", read(config).replace("steps: 32", "steps: 1000000"))
path = space(folder, "long", "method: random, trials: 2", "parameters:\n  optimizer.lr: {low: 1e-3, high: 0.1}\n",
             config=f"{folder}/endless.yaml")
process = start("tune", path, "-o", f"{folder}/stopped")
wait_for(lambda: os.path.exists(f"{folder}/stopped/trials/00000/checkpoints") and
         os.listdir(f"{folder}/stopped/trials/00000/checkpoints"), 60, "a trial under way")
os.killpg(process.pid, signal.SIGTERM)
process.communicate()
equal(process.returncode, 75, "the exit code of a search that was stopped")
equal(read(f"{folder}/stopped/journal.csv").count("\n"), 2, "jobs that are done")

# ---- the median; trials that diverge are the worst, with their reason
median = space(folder, "median", "method: random, trials: 10, prune: median, median_startup: 3, parallel: 3",
               "parameters:\n  optimizer.name: [sgd, adam]\n  optimizer.lr: [1e-4, 0.01, 1e30, 0.1]\n")
for ranks in (1, 3):
    good(run("tune", median, "-o", f"{folder}/m{ranks}", ranks=ranks), f"median on {ranks} ranks")
journal = read(f"{folder}/m1/journal.csv")
check(journal == read(f"{folder}/m3/journal.csv"), "the journal with the median")
check("given up," in journal, journal)
bad = [line for line in journal.splitlines() if ",diverged," in line]
check(bad and all("the loss is" in line for line in bad), journal)

# ---- grid; inner folds; a search for each split, killed in the second and gone on with
grid = space(folder, "grid", "method: grid, parallel: 2",
             "parameters:\n  optimizer.lr: {low: 1e-3, high: 1e-1, log: true, points: 2}\n")
NESTED = ("tune", grid, "--splits", "0,2", "--folds", 2, "-o")
result = run(*NESTED, f"{folder}/nested", ranks=2)
good(result, "nested")
with open(f"{folder}/nested/nested.csv", newline="") as file:
    splits = list(csv.DictReader(file))
equal([row["split"] for row in splits], ["0", "2"], "nested.csv")
for name in ("search_accuracy", "test_accuracy"):
    values = [100 * float(row[name]) for row in splits]
    shown = f"{statistics.mean(values):.2f} +- {statistics.stdev(values):.2f}"
    check(re.search(rf"^{name.replace('search_', '')} +{re.escape(shown)}", result.out, re.M), f"{name} {shown}: {result.out}")
for row in splits:
    check(re.search(rf"^{row['split']} +{100 * float(row['search_accuracy']):.2f} +{100 * float(row['test_accuracy']):.2f} +"
                    rf"{float(row['optimizer.lr']):.4g}$", result.out, re.M), f"{row}: {result.out}")
    check(f"split {row['split']}: accuracy " in result.err, result.err)
equal(len(read(f"{folder}/nested/split_2/journal.csv").splitlines()), 4, "a grid of two points")
equal(sorted(os.listdir(f"{folder}/nested/split_0/trials/00001")), ["fold_0", "fold_1"], "inner folds")
check(os.path.exists(f"{folder}/nested/split_2/report.html"), "each search has its page")
check("Nested search" in read(f"{folder}/nested/report.html"), "and all of them together")
process = start(*NESTED, f"{folder}/again", ranks=2)
wait_for(lambda: os.path.exists(f"{folder}/again/split_2/trials"), 60, "the second split")
os.killpg(process.pid, signal.SIGKILL)
process.communicate()
again = run(*NESTED, f"{folder}/again", "--resume")
good(again, "nested, resumed")
equal(again.err.count("the test part is opened, once"), 1, f"the first split's test is not opened again: {again.err}")
equal((again.out, read(f"{folder}/again/nested.csv")), (result.out, read(f"{folder}/nested/nested.csv")), "nested, resumed")
one_line(run("tune", grid, "--splits", "0,2", "-o", f"{folder}/again", "--resume"), 65, "journal.csv:1")

# ---- what is refused
os.makedirs(f"{folder}/lost/trials")
one_line(run("tune", asha, "-o", f"{folder}/lost"), 64, "lost/trials", "journal")
one_line(run("tune", asha, "-o", f"{folder}/a1"), 64, "journal.csv", "--resume")
one_line(run("tune", asha, "-o", f"{folder}/a1", "--resume", "--set", "run.seed=5", ranks=2), 65, "journal.csv:1")
lines = read(f"{folder}/a1/journal.csv").splitlines(True)
write(f"{folder}/a2/journal.csv", "".join(lines[:3] + lines[4:]))
result = run("tune", asha, "-o", f"{folder}/a2", "--resume", ranks=2)
check(result.code == 65 and "journal.csv:4" in result.lines()[-1], result.err)


def refused(text, *parts, search="trials: 3", ranks=0):
    path = space(folder, "bad", search, text)
    one_line(run("tune", path, "-o", f"{folder}/bad", ranks=ranks), 78, "bad.yaml", *parts)


P = "parameters:\n"
refused(P + "  optimizer.lrr: {low: 1, high: 2}\n", "bad.yaml:4", "optimizer.lr")
refused(P + "  optimizer.lr: {low: 2, high: 1}\n", "bad.yaml:4", "empty range", ranks=2)
refused(P + "  optimizer.lr: {low: 1, high: 1}\n", "bad.yaml:4", "empty range")
refused(P + "  optimizer.lr: {low: -1, high: 1}\n", "bad.yaml:4", "optimizer.lr", "-1")
refused(P + "  optimizer.lr: {low: 0, high: 1, log: true}\n", "bad.yaml:4", "log")
refused(P + "  batch.size: {low: 1, high: 64, step: 4, log: true}\n", "bad.yaml:4", "log", "step")
refused(P + "  batch.size: {low: 1, high: 1e300}\n", "bad.yaml:4", "2^53")
refused(P + "  optimizer.name: {choices: [adam, sgd], low: -5}\n", "bad.yaml:4", "choices and 'low'")
refused(P + "  optimizer.lr: {low: 1e-3, hihg: 1}\n", "bad.yaml:4", "hihg", "high")
refused(P + "  optimizer.lr: 3\n", "bad.yaml:4", "one value")
refused(P + "  optimizer.name: [adam]\n", "bad.yaml:4", "empty range")
refused(P + "  optimizer.name: [adam, sgdd]\n", "bad.yaml:4", "sgdd")
refused(P + "  optimizer.name: {low: 1, high: 2}\n", "bad.yaml:4", "choices")
refused(P + "  optimizer.name: [adam, sgd]\n  optimizer.momentum: {low: 0, high: 0.9}\n", "bad.yaml:5",
        "has no effect")
refused(P + "  optimizer.name: [adam, sgd]\n  optimizer.momentum: {low: 0, high: 0.9, when: {optimizer.name: muon}}\n",
        "bad.yaml:5", "muon")
refused(P + "  batch.size: {low: 1.5, high: 3}\n", "bad.yaml:4", "whole number")
refused(P, "parameters")
refused(P + "  optimizer.lr: {low: 1, high: 2}\n", "bad.yaml:2", "serch", "search", search="serch: 3")
refused(P + "  optimizer.lr: {low: 1, high: 2}\n", "bad.yaml:2", "tpee", search="method: tpee")
refused(P + "  optimizer.lr: {low: 1, high: 2}\nmore: 1\n", "bad.yaml:5", "more")
refused(P + "  optimizer.lr: {low: 1, high: 2}\n  optimizer.lr: {low: 1, high: 2}\n", "bad.yaml:5", "twice")
refused(P + "  run.dir: [a, b]\n", "run.dir is set by -o")
refused(P + "  data.fold: {low: 0, high: 1}\n", "data.fold is set by search.folds", search="folds: 2")
check(not os.path.exists(f"{folder}/bad"), "what is refused leaves nothing")
shutil.rmtree(folder)
finish()
