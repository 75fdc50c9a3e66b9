"""Stop and resume equals the uninterrupted run, bit for bit; signals end a run cleanly."""
import os
import time

from harness import *

folder = temp_folder()
config = small_setup(folder)


def path(name):
    return os.path.join(folder, name)


for ranks in (1, 2, 3):
    whole = path(f"whole-{ranks}")
    good(train(config, whole, ranks=ranks), "uninterrupted")
    # Stopped at the end of a shorter run at odd steps, twice in one run, then resumed to the end.
    parts = path(f"parts-{ranks}")
    for i, steps in enumerate((3, 11, 20)):
        more = ["--set", f"train.steps={steps}", "--set", "schedule.decay_steps=20"]
        good(train(config, parts, *more, *(["--resume"] if i else []), ranks=ranks),
             f"{ranks} ranks to step {steps}")
    equal(hashes(parts)[20], hashes(whole)[20], f"weights on {ranks} ranks")
    for step, loss in losses(whole).items():
        equal(losses(parts)[step], loss, f"loss of step {step} on {ranks} ranks")
    check(len(rows(parts)) >= 20, "metrics.csv keeps its rows over a resume")
    equal(len({r["step"] for r in rows(parts) if r["loss"]}), 20, "no step twice in metrics.csv")

# From an older checkpoint, given by path: later rows go, the end is the same.
older = os.path.join(path("whole-1"), "checkpoints", checkpoints(path("whole-1"))[0])
again = path("older")
good(train(config, again, f"--resume={older}", ranks=1), "resume from a file")
equal(hashes(again)[20], hashes(path("whole-1"))[20], "weights after resume from a file")

# Going back inside a run would leave later checkpoints behind that a later --resume would take.
one_line(train(config, path("whole-1"), f"--resume={older}"), 78, "later checkpoints", "run.dir")
one_line(train(config, path("whole-2"), f"--resume={older}"), 78, "another run", "run.dir")

# A longer run goes on as it began: the cosine was planned for 20 steps; a shorter one is refused.
longer = path("longer")
good(train(config, longer), "20 steps")
result = train(config, longer, "--resume", "--set", "train.steps=30")
good(result, "30 steps")
check("schedule the run began with, to step 20" in result.err, result.err)
equal(max(losses(longer)), 30, "reaches the new end")
one_line(train(config, longer, "--resume", "--set", "train.steps=10"), 78, "train.steps is 10", "step 30")
# A finished run has nothing to do and changes nothing.
before = rows(longer)
result = train(config, longer, "--resume", "--set", "train.steps=30", "--set", "train.time_budget_s=0.001")
good(result, "a finished run")
check("complete at step 30" in result.err, result.err)
equal(rows(longer), before, "no row twice")

# A second start without --resume must not touch the run.
before = rows(path("whole-1"))
one_line(train(config, path("whole-1")), 78, "already holds a run", "--resume")
equal(rows(path("whole-1")), before, "the run is untouched")

# --resume where there is nothing yet starts afresh, so that a job script can always give it.
good(train(config, path("fresh"), "--resume", ranks=2), "resume of nothing")
equal(hashes(path("fresh"))[20], hashes(path("whole-2"))[20], "fresh start under --resume")

# Another number of ranks resumes as well (canonical: to the same bits).
canonical = ["--set", "comm.allreduce=canonical"]
good(train(config, path("can"), *canonical, ranks=1), "canonical")
good(train(config, path("can-4"), *canonical, "--set", "train.steps=8", "--set",
           "schedule.decay_steps=20", ranks=4), "canonical on 4")
good(train(config, path("can-4"), *canonical, "--resume", ranks=3), "canonical on 3")
equal(hashes(path("can-4"))[20], hashes(path("can"))[20], "4 ranks, then 3, as on 1")

# Signals, to the program alone and through mpirun: exit code 75, a checkpoint, resumable.
steps = ["--set", "train.steps=4000", "--set", "log.every=1", "--set", "eval.every=0"]
for name, number in SIGNALS.items():
    run_dir = path(f"stop-{name}")
    process = start("train", config, "--set", f"run.dir={run_dir}", *steps)
    wait_for(lambda: os.path.exists(os.path.join(run_dir, "metrics.csv")) and
             len(rows(run_dir)) > 2, 30, "training starts")
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    equal(process.returncode, 75, f"exit code after {name}\n{err}")
    check(name in err and "--resume" in err, f"the message names {name} and --resume: {err}")
    stopped_at = max(losses(run_dir))
    check(any(f"{stopped_at:08d}" in c for c in checkpoints(run_dir)), f"saved at {stopped_at}")
for name in ("SIGUSR1",) if with_mpich() else ("SIGUSR1", "SIGUSR2"):  # which mpirun passes on
    run_dir = path(f"mpi-{name}")
    process = start("train", config, "--set", f"run.dir={run_dir}", *steps, ranks=3)
    wait_for(lambda: os.path.exists(os.path.join(run_dir, "metrics.csv")) and
             len(rows(run_dir)) > 2, 60, "training starts")
    process.send_signal(SIGNALS[name])
    _, err = process.communicate(timeout=60)
    equal(process.returncode, 75, f"mpirun's exit code after {name}\n{err}")
    stopped_at = max(losses(run_dir))
    check(any(f"{stopped_at:08d}" in c for c in checkpoints(run_dir)), f"saved at {stopped_at}")
# One rank alone gets the signal: all stop at the same step.
run_dir = path("one-rank")
process = start("train", config, "--set", f"run.dir={run_dir}", *steps, ranks=2)
wait_for(lambda: os.path.exists(os.path.join(run_dir, "metrics.csv")) and len(rows(run_dir)) > 2,
         60, "training starts")
os.kill(descendants(process.pid)[-1], SIGNALS["SIGUSR1"])
_, err = process.communicate(timeout=60)
equal(process.returncode, 75, f"exit code after a signal to one rank\n{err}")

# Another instruction set: one line warns, the curve goes on.
good(train(config, path("isa"), "--set", "train.steps=10", "--set", "schedule.decay_steps=20"), "isa")
os.environ["TRIREME_ISA"] = "x86-64-v2"
result = train(config, path("isa"), "--resume")
del os.environ["TRIREME_ISA"]
good(result, "resume under another instruction set")
warnings = [line for line in result.lines() if "bits may differ" in line]
equal(len(warnings), 1, f"one warning: {result.err}")
check("x86-64-v2" in warnings[0] if warnings else False, result.err)
check(abs(losses(path("isa"))[20] - losses(path("whole-1"))[20]) < 1e-3, "the curve goes on")

# The time budget.
began = time.monotonic()
result = train(config, path("budget"), *steps, "--set", "train.time_budget_s=1", ranks=2)
equal(result.code, 75, f"exit code after the time budget\n{result.err}")
check(time.monotonic() - began < 30, "the time budget is kept")
finish()
