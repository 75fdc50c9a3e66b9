"""verify repeats a run's bits on other layouts, or says where it does not; bisect finds the first
step and parameter where two runs part."""
import os

from harness import *

folder = temp_folder()
config = small_setup(folder)
canonical = ["--set", "comm.allreduce=canonical", "--set", "checkpoint.keep=9"]


def path(name):
    return os.path.join(folder, name)


def edit_hash(run_dir, step):
    file = os.path.join(run_dir, "hashes.csv")
    lines = open(file).read().splitlines()
    lines[step] = f"{step},{'0' * 16},{lines[step].split(',')[2]}"
    with open(file, "w") as out:
        out.write("\n".join(lines) + "\n")


good(train(config, path("a"), *canonical, ranks=2), "a run")
before = {name: os.stat(os.path.join(path("a"), name)).st_mtime_ns for name in os.listdir(path("a"))}
for ranks, threads in ((0, 1), (1, 2), (3, 1)):
    result = run("verify", path("a"), ranks=ranks, threads=threads)
    good(result, f"verify on {ranks} x {threads}")
    check("steps 1 to 20 repeat in every bit" in result.out, result.out)
result = run("verify", path("a"), "--from", 12, "--steps", 4, ranks=2)
good(result, "verify of a part")
check("steps 11 to 14 repeat" in result.out, result.out)
after = {name: os.stat(os.path.join(path("a"), name)).st_mtime_ns for name in os.listdir(path("a"))}
equal(after, before, "verify writes nothing into the run")

good(train(config, path("patient"), *canonical, "--set", "train.patience=15", ranks=1), "with patience")
good(run("verify", path("patient"), ranks=2), "verify of a run with patience: nothing is evaluated")

edit_hash(path("a"), 7)
result = run("verify", path("a"), ranks=2)
equal(result.code, 79, f"exit code of a run that does not repeat\n{result.err}")
check("after step 7 differ" in result.err, result.err)

# bisect: other learning rate from step 1 on; a flipped bit later; nothing.
good(train(config, path("same1"), *canonical, ranks=1), "same")
good(train(config, path("same2"), *canonical, ranks=4), "same")
result = run("bisect", path("same1"), path("same2"), ranks=2)
good(result, "bisect of equal runs")
check("agree in every bit up to step 20" in result.out, result.out)

good(train(config, path("rate"), *canonical, "--set", "optimizer.lr=0.002", ranks=1), "other rate")
result = run("bisect", path("same1"), path("rate"), ranks=1)
equal(result.code, 79, "bisect of other rates")
check("part at step 1, on the same samples" in result.out and "first parameter that differs" in
      result.out, result.out)

good(train(config, path("flip"), *canonical, "--set", "debug.flip_step=13", ranks=1), "flipped")
result = run("bisect", path("same1"), path("flip"), ranks=0, threads=2)
equal(result.code, 79, "bisect of a flipped bit")
check("part at step 13" in result.out and "differs: wte/weight, element 0" in result.out and
      "1 of " in result.out, result.out + result.err)

good(train(config, path("seed"), *canonical, "--set", "run.seed=5", ranks=1), "other seed")
result = run("bisect", path("same1"), path("seed"), ranks=1)
check("samples differ" in result.out, result.out)
# Without a checkpoint early enough both are replayed from the start.
for name in ("few1", "few2"):
    good(train(config, path(name), "--set", "checkpoint.keep=1", "--set", f"run.seed={name[-1]}"), name)
for ranks in (0, 3):
    result = run("bisect", path("few1"), path("few2"), ranks=ranks)
    equal(result.code, 79, "bisect with few checkpoints")
    check("part at step 1;" in result.out and "first parameter that differs" in result.out, result.out)
    check("replayed from the start" in result.err and "error" not in result.err, result.err)
result = run("verify", path("few1"), "--from", 0, ranks=2)
good(result, "verify from the start without a checkpoint of it")
check("steps 1 to 20 repeat" in result.out, result.out)

# A run that went on with other values says so, and from where it can be verified.
good(train(config, path("changed"), "--set", "checkpoint.keep=9", "--set", "train.steps=10"), "first half")
good(train(config, path("changed"), "--set", "checkpoint.keep=9", "--set", "optimizer.beta1=0.5", "--resume",
           "--allow-changes", ranks=2), "second half")
result = run("verify", path("changed"))
equal(result.code, 79, "verify of a run that went on with other values")
for part in ("--allow-changes", "optimizer.beta1 was", "is 0.5", "--from 15"):
    check(part in result.lines()[-1], f"{part}: {result.err}")
good(run("verify", path("changed"), "--from", 15), "from there on")
good(run("verify", path("changed"), "--steps", 10), "up to there")
one_line(run("bisect", path("same1"), path("nowhere")), 66, "nowhere")
one_line(run("verify", path("nowhere")), 66, "nowhere")
finish()
