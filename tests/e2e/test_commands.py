"""evaluate, generate, inspect, doctor, help: what they print, and that ranks do not change it."""
import os
import re
import subprocess

from harness import *

folder = temp_folder()
text = os.path.join(folder, "text.txt")
with open(text, "w") as file:
    for i in range(400):
        file.write(f"line {i}: the quick brown fox jumps over the lazy dog\u00e9\n")
data = os.path.join(folder, "text.h5")
result = run("prepare", "text", text, "-o", data)
good(result, "prepare text")
config = os.path.join(folder, "lm.yaml")
with open(config, "w") as file:
    file.write("data: {path: %s}\nmodel: {layers: 1, heads: 2, width: 32, context: 24}\n"
               "batch: {size: 8}\ntrain: {steps: 150}\noptimizer: {lr: 0.01}\n"
               "schedule: {warmup_steps: 10}\neval: {every: 50}\n" % data)
run_dir = os.path.join(folder, "run")
good(train(config, run_dir, ranks=2), "train")

# evaluate: the value training wrote, the same on any rank count.
lines = set()
for ranks in (0, 1, 2, 3):
    result = run("evaluate", run_dir, ranks=ranks)
    good(result, f"evaluate on {ranks}")
    lines.add(result.out)
equal(len(lines), 1, f"evaluate prints the same on all rank counts: {lines}")
loss = float(lines.pop().split("loss ")[1].split()[0])
check(abs(loss - valid_losses(run_dir)[150]) < 2e-6, f"evaluate: {loss}, training wrote "
      f"{valid_losses(run_dir)[150]}")
good(run("evaluate", run_dir, "--best"), "evaluate --best")

# generate: the prompt first, reproducible, and learned something.
first = run("generate", run_dir, "--prompt", "line ", "--tokens", 80, "--seed", 3)
good(first, "generate")
check(first.out.startswith("line "), f"begins with the prompt: {first.out!r}")
equal(len(first.out.rstrip("\n")) if not first.out.endswith("\n\n") else 85, 85, "85 characters")
equal(run("generate", run_dir, "--prompt", "line ", "--tokens", 80, "--seed", 3, threads=2).out,
      first.out, "the same seed, the same text")
check(run("generate", run_dir, "--prompt", "line ", "--tokens", 80, "--seed", 4).out != first.out,
      "another seed, another text")
greedy = run("generate", run_dir, "--prompt", "the quick", "--tokens", 60, "--temperature", 0).out
check("brown fox" in greedy, f"learned the line: {greedy!r}")
for more in (["--top-k", 1], ["--top-p", "0.0001"]):
    equal(run("generate", run_dir, "--prompt", "the quick", "--tokens", 60, *more).out, greedy,
          f"{more} draws the most likely")

# inspect.
result = run("inspect", data)
good(result, "inspect data")
check("text" in result.out and "vocabulary" in result.out, result.out)
checkpoint = os.path.join(run_dir, "checkpoints", checkpoints(run_dir)[-1])
result = run("inspect", "--arrays", "--check", checkpoint)
good(result, "inspect checkpoint")
for part in ("step 150", "matches its digest", "/model/wte/weight", "layers: 1"):
    check(part in result.out, f"{part} in {result.out}")

# doctor, help, version.
for ranks in (0, 2):
    result = run("doctor", ranks=ranks)
    good(result, f"doctor on {ranks}")
    check("GFLOP/s" in result.out and "MPI" in result.out, result.out)
result = run("doctor", ranks=2, threads=64)
check("!" in result.out and "take turns" in result.out, f"doctor complains: {result.out}")
for words in (["help"], ["help", "config"], ["help", "train"], ["train", "--help"], ["version"],
              ["help", "help"], ["help", "version"], ["help", "doctor"]):
    alone = run(*words)
    good(alone, " ".join(words))
    check(len(alone.out) > 10 and not alone.err, " ".join(words))
    equal(run(*words, ranks=2).out, alone.out, " ".join(words) + ": two ranks print it once")
check("optimizer.lr" in run("help", "config").out, "help config lists the keys")
check("trireme help config average" in run("help", "average").out, "a command that shares its name with keys")


# Threads when nobody says: the processors that ranks share are divided among them.
def default_threads(ranks, bind):
    env = environment()
    del env["OMP_NUM_THREADS"]
    words = [bind if word == "none" else word for word in command(["doctor"], ranks)]
    done = subprocess.run(words, env=env, stdout=subprocess.PIPE, text=True, timeout=120)
    table = done.stdout.split("matrix product\n")[1].split("\n\n")[0]
    return [(int(line.split()[2]), line.split()[3]) for line in table.splitlines()]


cpus = len(os.sched_getaffinity(0))
for ranks in (1, 2, 3):
    equal([n for n, _ in default_threads(ranks, "none")], [max(1, cpus // ranks)] * ranks,
          f"threads of {ranks} ranks that share {cpus} processors")
if cpus >= 2:
    places = default_threads(2, "core")
    check(places[0][1] != places[1][1], f"ranks are bound apart: {places}")
    equal([n for n, _ in places], [1, 1], "threads of two ranks bound to a core each")
    # Bound threads have a processor each, also when the program has started itself again with another
    # kernel of OpenBLAS, which it does not where one is named.
    for kernel in (None, "Haswell"):
        env = environment(2) | {"OMP_PROC_BIND": "close", "OMP_PLACES": "cores"}
        env = env | ({"OPENBLAS_CORETYPE": kernel} if kernel else {})
        shown = subprocess.run(command(["doctor"], 0), env=env, stdout=subprocess.PIPE, text=True).stdout
        check("take turns" not in shown, f"bound threads, OPENBLAS_CORETYPE {kernel}:\n{shown}")

# train --check: the configuration resolved, then what a run takes, once; the output is valid input.
for ranks in (0, 2):
    result = run("train", config, "--check", ranks=ranks)
    good(result, f"train --check on {ranks}")
    equal(result.out.count("\ntrain:"), 1, f"--check on {ranks} prints once:\n{result.out}")
    for part in ("blocks: 8\n", "decay_steps: 150\n", "192 tokens a step", "steps an epoch",
                 "# learning rate (cosine): ", " |*", "weights ", "gradients ", "optimizer ", "activations "):
        check(part in result.out, f"{part!r} in\n{result.out}")
weights = re.search(r"# ([\d,]+) parameters", result.out).group(1)
trained = train(config, os.path.join(folder, "one"), "--set", "train.steps=1")
check(f" {weights} parameters" in trained.err, f"{weights} parameters in\n{trained.err}")
resolved = os.path.join(folder, "resolved.yaml")
with open(resolved, "w") as file:
    file.write(result.out)
untimed = [re.sub(r"# [\d.e-]+ s a step here;.*", "", text)
           for text in (run("train", resolved, "--check", ranks=2).out, result.out)]
check("s a step here; 150 steps take" in result.out, f"how long it takes: {result.out}")
equal(*untimed, "--check of what it printed")


def memory(kind, *more, ranks=0):
    result = run("train", config, "--check", "--set", "model.width=128", *more, ranks=ranks)
    good(result, f"--check {more}")
    return float(re.search(rf"#   {kind} +([\d.]+) MiB", result.out).group(1))


whole = memory("optimizer", ranks=2)
check(abs(memory("optimizer", "--set", "optimizer.sharded=true", ranks=2) - whole / 2) < 0.1,
      "a sharded optimizer takes half of it on two ranks")
canonical, ring = (memory("gradients", "--set", f"comm.allreduce={engine}")
                   for engine in ("canonical", "ring"))
check(canonical > ring,
      "the canonical sum keeps several arrays of gradients")

# A full disk behind standard output.
for words in (["help"], ["help", "config"], ["help", "train"], ["train", "--help"], ["version"],
              ["version", "--help"], ["doctor"], ["inspect", data], ["evaluate", run_dir],
              ["generate", run_dir, "-n", "0"], ["generate", run_dir, "-n", "3"],
              ["train", config, "--check"]):
    with open("/dev/full", "w") as full:
        done = subprocess.run(command(words, 0), env=environment(), stdout=full,
                              stderr=subprocess.PIPE, text=True, timeout=120)
    one_line(Result(done.returncode, "", done.stderr), 74, "error: ", "writ")
finish()
