"""What a newcomer sees: how long a run will take, a line of evaluations now and then, the test score of the
best, and dropout of what gat sums up on any layout."""
from harness import *

folder = temp_folder()
data = f"{folder}/g.h5"
good(run("prepare", "synth", "--graph", "blocks", "--nodes", 300, "--edges-count", 1500, "-o", data), "prepare")
config = f"{folder}/g.yaml"
with open(config, "w") as file:
    file.write("data: {path: %s}\nmodel: {kind: gat, layers: 2, width: 16, heads: 4, projected_dropout: 0.5}\n"
               "train: {steps: 40}\noptimizer: {lr: 0.01}\nschedule: {warmup_steps: 0, name: constant}\n"
               "eval: {every: 1}\nlog: {every: 1}\n" % data)

shown = run("train", config, "--check", "--set", f"run.dir={folder}/none", ranks=2)
good(shown, "--check")
check(re.search(r"# \S+ s a step here; 40 steps take ", shown.out), f"how long: {shown.out}")
check(not os.path.exists(f"{folder}/none"), "--check writes nothing")

result = train(config, f"{folder}/a", ranks=2)
good(result, "train")
evaluations = [line for line in result.lines() if "validation loss" in line]
check(2 <= len(evaluations) <= 20, f"evaluations on the terminal: {len(evaluations)}")
equal(len([row for row in rows(f"{folder}/a") if row["valid_loss"]]), 40, "all of them in metrics.csv")
with open(f"{folder}/a/log.txt") as file:
    equal(file.read().count("validation loss"), 40, "and in log.txt")
last = result.lines()[-1]
check(last.startswith("best: step") and "test_accuracy" in last or "(best)" in last, f"the last line: {last}")

good(train(config, f"{folder}/b", threads=2), "train on one rank")
equal(hashes(f"{folder}/b"), hashes(f"{folder}/a"), "projected dropout is the same on any layout")
good(train(config, f"{folder}/c", "--set", "model.projected_dropout=0"), "without")
check(hashes(f"{folder}/c") != hashes(f"{folder}/a"), "and does something")

finish()
