"""Optimizer state shared out among the ranks: the same weights after every step as with all of the
state on every rank, and checkpoints that fit either way on any number of ranks."""
import os

from harness import *

folder = temp_folder()
# More than one stripe a rank, on any number of them: 13 stripes of 4,096 elements.
config = small_setup(folder, text=SMALL.replace("width: 32", "width: 48"))
ON = ("--set", "optimizer.sharded=true")
CANONICAL = ("--set", "comm.allreduce=canonical")


def go(name, ranks, *more, threads=1):
    run_dir = os.path.join(folder, name)
    good(train(config, run_dir, *more, ranks=ranks, threads=threads), name)
    return run_dir


def same(got, want, text):
    equal(hashes(got), hashes(want), text)
    equal(valid_losses(got), valid_losses(want), f"validation, {text}")


# Canonical: one hash a step for all layouts and transports, sharded or not.
base = go("base", 1, *CANONICAL)
cases = [(1, 1, ()), (2, 1, ()), (2, 2, ("--set", "comm.bucket_kib=4")),
         (3, 1, ("--set", "comm.progress=thread")), (4, 1, ("--set", "comm.shared_window=false")),
         (5, 1, ("--set", "comm.progress=none")),
         (7, 1, ("--set", "comm.shared_window=false", "--set", "comm.bucket_kib=0")), (7, 1, ())]
for i, (ranks, threads, more) in enumerate(cases):
    same(go(f"canonical-{i}", ranks, *CANONICAL, *ON, *more, threads=threads), base,
         f"canonical, sharded, {ranks} x {threads} {more}")

# Ring: the bits of the same number of ranks without sharding, on either transport.
for ranks, window in ((2, "true"), (3, "false"), (4, "true"), (4, "false")):
    how = ("--set", f"comm.shared_window={window}")
    same(go(f"ring-on-{ranks}-{window}", ranks, *ON, *how),
         go(f"ring-off-{ranks}-{window}", ranks, *how), f"ring, {ranks} ranks, window {window}")

# The other optimizer has one state array.
sgd = ("--set", "optimizer.name=sgd", "--set", "optimizer.nesterov=true", *CANONICAL)
same(go("sgd-on", 3, *sgd, *ON), go("sgd-off", 2, *sgd), "sgd")

# Saved at 4 ranks in the middle, gone on with at others, sharded or not.
part = go("part", 4, *CANONICAL, *ON, "--set", "train.steps=10", "--set",
          "schedule.decay_steps=20", "--set", "eval.at_end=false")
checkpoint = os.path.join(part, "checkpoints", "step_00000010.h5")
whole = go("whole", 2, *CANONICAL)
for name, ranks, more in (("to-1", 1, ()), ("to-3", 3, ON), ("to-7", 7, ON), ("to-2", 2, ())):
    got = go(name, ranks, *CANONICAL, *more, f"--resume={checkpoint}")
    want = {step: hash for step, hash in hashes(whole).items() if step > 10}
    equal(hashes(got), want, f"from 4 sharded ranks {name}")
# And the reverse.
checkpoint = os.path.join(whole, "checkpoints", "step_00000010.h5")
equal(hashes(go("from-whole", 3, *CANONICAL, *ON, f"--resume={checkpoint}")), want,
      "from 2 ranks with all of the state to 3 sharded ones")

# The ranks agree on a gradient that is not finite, and name its parameter, wherever it is.
blown = ("--set", "optimizer.lr=1e30", "--set", "optimizer.clip_norm=0", "--set", "eval.every=0")
errors = set()
for name, ranks, more in (("nan-off", 2, ()), ("nan-on-2", 2, ON), ("nan-on-4", 4, ON)):
    got = train(config, os.path.join(folder, name), *CANONICAL, *blown, *more, ranks=ranks)
    check(got.code not in (0, 71), f"{name}: exit code {got.code}\n{got.err}")
    errors.update(line for line in got.lines() if "not finite" in line)
equal(len(errors), 1, f"one message: {errors}")
finish()
