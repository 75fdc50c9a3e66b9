"""Learning curves, bias and variance, inner folds: the figures are those of the runs themselves."""
import csv
import shutil

from values import *

folder = temp_folder()
N_TEST = 80


def configuration(target, more=""):
    test = write(f"{folder}/test.csv", table_rows(N_TEST, 9))
    data = table(folder, target, n=220, more=("--test", test, "--valid-share", "0.2"))
    return data, write(f"{folder}/{target}.yaml",
                       f"data: {{path: {data}}}\nmodel: {{kind: mlp, widths: 8}}\nbatch: {{size: 20, blocks: 4}}\n"
                       f"train: {{steps: 20}}\noptimizer: {{lr: 0.01}}\neval: {{every: 20{more}}}\n"
                       "log: {tensorboard: false}\n")


def read(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def predictions(run_dir):
    """Rows of `trireme predict`, of the test part, which comes last."""
    good(run("predict", run_dir, "--best", "-o", f"{folder}/out.tsv"), "predict")
    with open(f"{folder}/out.tsv", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))[-N_TEST:]


# ---- learning curves
data, kinds = configuration("kind", ", select: accuracy")
result = run("learning-curve", kinds, "--shares", "0.2,1", "--seeds", "1-2", "--set", f"run.dir={folder}/curve",
             ranks=2)
good(result, "learning-curve")
check("train_accuracy" in result.out and "data.train_share" in result.out, result.out)
points = read(f"{folder}/curve/points.csv")
equal([(row["data.train_share"], row["runs"]) for row in points], [("0.2", "2"), ("1", "2")], "points")
good(train(kinds, f"{folder}/share", "--set", "data.train_share=0.2", "--set", "eval.train=true", "--set", "run.seed=2"),
     "a run alone")
check(hashes(f"{folder}/share") == hashes(f"{folder}/curve/data.train_share-0.2_seed_2"), "bits of a share")

# ---- bias and variance of classes and numbers, against what the models predict
for target in ("kind", "price"):
    if target == "price":
        data, path = configuration("price")
    else:
        path = kinds
    results = []
    for ranks in (1, 3):
        result = run("bias-variance", path, "--runs", 3, "--set", f"run.dir={folder}/{target}{ranks}", ranks=ranks)
        if good(result, f"bias-variance of {target}"):
            check(" +- " not in result.out.split("mean +- deviation", 1)[1], f"one run has no deviation: {result.out}")
            results.append(read(f"{folder}/{target}{ranks}/bias_variance.csv"))
    if not check(len(results) == 2 and results[0] == results[1], f"ranks: {results}"):
        continue
    said = {row["loss"]: row for row in results[0]}
    total = float(said["squared"]["bias"]) + float(said["squared"]["variance"])
    check(abs(total - float(said["squared"]["mean"])) < 1e-6 * total, f"{said}")
    models = [predictions(f"{folder}/{target}1/data.bootstrap-{k}") for k in (1, 2, 3)]
    guess, truth = ("class", "label") if target == "kind" else ("prediction", "target")
    check(guess in models[0][0] and truth in models[0][0], f"columns: {list(models[0][0])}")
    error = bias = variance = 0
    n = N_TEST
    for rows_of in zip(*models):
        if target == "kind":
            votes = [row[guess] for row in rows_of]
            best = max(votes.count(vote) for vote in votes)
            error += sum(vote != rows_of[0][truth] for vote in votes) / 3
            variance += 1 - best / 3
        else:
            values, y = [float(row[guess]) for row in rows_of], float(rows_of[0][truth])
            mean = sum(values) / 3
            bias += (mean - y) ** 2
            variance += sum((value - mean) ** 2 for value in values) / 3
    if target == "kind":
        check(abs(error / n - float(said["zero_one"]["mean"])) < 1e-9, f"{error / n}, {said}")
        check(abs(variance / n - float(said["zero_one_disagreement"]["variance"])) < 1e-9, f"{variance / n}, {said}")
        zero_one = said["zero_one"]
        check(abs(float(zero_one["mean"]) - float(zero_one["bias"]) - float(zero_one["variance"])) < 1e-8, f"{said}")
    else:
        check(abs(bias / n / float(said["squared"]["bias"]) - 1) < 1e-5, f"{bias / n}, {said}")
        check(abs(variance / n / float(said["squared"]["variance"]) - 1) < 1e-4, f"{variance / n}, {said}")

# ---- inner folds: each sample validates once; what cannot be is refused
for fold in range(3):
    good(train(kinds, f"{folder}/fold{fold}", "--set", "data.folds=3", "--set", f"data.fold={fold}"), f"fold {fold}")
check(len({tuple(hashes(f"{folder}/fold{fold}").values()) for fold in range(3)}) == 3, "folds differ")
text = small_setup(folder)
good(train(text, f"{folder}/text", "--set", "data.folds=3", "--set", "data.fold=1", ranks=2), "folds of a text")
good(train(text, f"{folder}/part", "--set", "data.train_share=0.3"), "a share of a text")
one_line(train(text, f"{folder}/x", "--set", "data.folds=3", "--set", "data.fold=3"), 78, "data.fold", "3")
one_line(train(kinds, f"{folder}/x", "--set", "data.fold=1"), 78, "data.fold", "data.folds")
one_line(train(kinds, f"{folder}/x", "--set", "data.folds=1"), 78, "data.folds")
one_line(run("bias-variance", kinds, "--runs", 1), 64, "--runs")
one_line(run("learning-curve", kinds, "--shares", "0.5,2"), 78, "data.train_share", "2")
shutil.rmtree(folder)
finish()
