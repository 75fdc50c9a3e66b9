"""evaluate, generate, inspect, doctor, help: what they print, and that ranks do not change it."""
import os

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
for words in (["help"], ["help", "config"], ["help", "train"], ["train", "--help"], ["version"]):
    result = run(*words)
    good(result, " ".join(words))
    check(len(result.out) > 10 and not result.err, " ".join(words))
check("optimizer.lr" in run("help", "config").out, "help config lists the keys")
good(run("train", config, "--check"), "train --check")
finish()
