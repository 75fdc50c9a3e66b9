"""find-lr: the same curve on any ranks, nothing left behind, a rate that trains, and what is wrong in one line."""
import xml.etree.ElementTree

from harness import *

folder = temp_folder()
config = small_setup(folder, text=SMALL.replace("width: 32", "width: 48").replace("schedule: {warmup_steps: 5}\n", ""))


def find(*more, **how):
    return run("find-lr", config, *more, cwd=folder, **how)


def content(out, name):
    with open(os.path.join(folder, out, name)) as file:
        return file.read()


before = sorted(os.listdir(folder))
result = find("-o", "found", ranks=1)
good(result, "find-lr")
for part in ("# loss of the next batch", "#            1e-07", "falls most steeply at a rate of", "a tenth of which is",
             "find_lr.csv"):
    check(part in result.out, f"{part!r} in {result.out}")
check(re.search(r"^# +[0-9.]+ \|.*\*", result.out, re.M), f"a curve: {result.out}")
rate = float(re.search(r"^optimizer: {lr: ([^}]*)}$", result.out, re.M).group(1))
check(1e-5 < rate < 0.05, f"a rate for AdamW: {rate}")
equal(sorted(set(os.listdir(folder)) - set(before)), ["found"], "what is left behind")
equal(sorted(os.listdir(os.path.join(folder, "found"))), ["find_lr.csv", "find_lr.svg"], "in the folder")
xml.etree.ElementTree.fromstring(content("found", "find_lr.svg"))
table = [row for row in csv.DictReader(content("found", "find_lr.csv").splitlines())]
equal([int(row["step"]) for row in table], list(range(1, len(table) + 1)), "steps")
for number, row in enumerate(table):
    check(abs(float(row["lr"]) / 10 ** (-7 + 7 * number / 99) - 1) < 1e-6, f"the ramp: {row}")

# The losses are those of the run itself at these rates: the first of a run that trains hardly at all.
base = os.path.join(folder, "base")
good(train(config, base, "--set", "optimizer.lr=1e-7", "--set", "schedule.name=constant", "--set",
           "schedule.warmup_steps=0", "--set", "log.tensorboard=false"), "a run")
equal(f"{losses(base)[2]:.6g}", f"{float(table[0]['loss']):.6g}", "the first loss")

# The same file on every layout, whatever the run's own schedule and evaluations.
for ranks, threads, more in ((2, 2, []), (3, 1, ["--set", "optimizer.sharded=true"]), (4, 1, ["--set", "eval.every=1"]),
                             (2, 1, ["--set", "schedule.name=plateau"]), (1, 1, ["--set", "schedule.name=1cycle"]),
                             (1, 1, ["--set", "train.epochs=3"])):
    good(find("-o", "other", *more, ranks=ranks, threads=threads), f"{ranks} x {threads}")
    equal(content("other", "find_lr.csv"), content("found", "find_lr.csv"), f"curve on {ranks} x {threads}, {more}")
    equal(content("other", "find_lr.svg"), content("found", "find_lr.svg"), f"picture on {ranks} x {threads}, {more}")

# It looks at no run directory, also where the configuration names one with a run in it.
inside = sorted(os.listdir(base))
good(find("--set", f"run.dir={base}", "-n", "10"), "beside a run")
equal(sorted(os.listdir(base)), inside, "the run is as it was")
equal(sorted(set(os.listdir(folder)) - set(before)), ["base", "found", "other"], "nothing else without -o")

# A rate that is too high ends it; a range in which nothing happens suggests nothing.
result = find("--set", "optimizer.name=sgd", "--set", "optimizer.clip_norm=0", "--to", "1e6", "-o", "high")
good(result, "divergence is no failure")
check("then the loss was not finite, or 4 times the least" in result.out, result.out)
check(len(content("high", "find_lr.csv").splitlines()) < 101, "it ended early")
result = find("--from", "1e-12", "--to", "1e-11", "-n", "20")
good(result, "no rate")
check("no suggestion" in result.out and "optimizer: {lr" not in result.out, result.out)

# The suggestion trains.
good(train(config, os.path.join(folder, "suggested"), "--set", f"optimizer.lr={rate}", "--set", "train.steps=60"), "train")
suggested = losses(os.path.join(folder, "suggested"))
check(suggested[60] < suggested[1] - 0.2, f"it learns at {rate}: {suggested[1]}, then {suggested[60]}")

one_line(run("find-lr"), 64, "give one configuration file")
one_line(find("--from", "1", "--to", "0.1"), 64, "--from is 1 and --to is 0.1")
one_line(find("--steps", "5"), 64, "--steps is '5'")
one_line(find("--from", "0"), 64, "--from is '0'")
one_line(find("--set", "optimizer.nome=sgd"), 78, "optimizer.nome")
with open(os.path.join(folder, "plain"), "w"):
    pass
one_line(find("-o", "plain", ranks=2), 74, "plain")
finish()
