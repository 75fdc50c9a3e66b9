"""launch/slurm.sbatch in a real Slurm: time limit (with B: and without), requeue, preemption, a killed
rank, a node without power, scancel. The run ends in the bits of an undisturbed one."""
from rig import *

folder = temp_folder()
config = small_setup(folder)
rig = Hosts(2)
slurm = Slurm(rig)
run_dir, log = os.path.join(folder, "run"), os.path.join(folder, "log")
KEYS = ["--set", "eval.every=0", "--set", "log.tensorboard=false", "--set", "checkpoint.every=50"]
SCRIPT = os.path.join(SOURCE, "launch", "slurm.sbatch")


def job(*options, run=run_dir, steps="1000000"):
    return slurm.submit("-N2", "--ntasks-per-node=1", "-c1", *options, SCRIPT, config, "--set",
                        f"run.dir={run}", "--set", f"train.steps={steps}", *KEYS, log=log,
                        TRIREME=PROGRAM, TRIREME_HOME=SOURCE)


def said():
    return open(log).read() if os.path.exists(log) else ""


def now(job):
    return f"{slurm.state(job)}, {said()[-1500:]!r}"


def trains(job, after, run=run_dir, seconds=90):
    return wait_for(lambda: newest(run) > after and slurm.state(job)[0] == "RUNNING", seconds,
                    lambda: f"job {job} saves after step {after}: {now(job)}")


def put_back(job, restarts, text, seconds=60):
    wait_for(lambda: slurm.state(job)[1] == restarts, seconds,
             lambda: f"{text}: job {job} goes back into the queue: {now(job)}")
    wait_for(lambda: slurm.state(job)[0] != "COMPLETING", 60, lambda: f"{text}: {now(job)}")


# Requeued by the administrator, pushed out by an urgent job, a rank killed, all in one run.
first = job("-t", "30")
trains(first, 0)
slurm.run("scontrol", "requeue", first)
put_back(first, 1, "scontrol requeue")
check("with a checkpoint" in said(), f"saved before the requeue: {said()[-1000:]!r}")
trains(first, newest(run_dir))
urgent = slurm.submit("-p", "urgent", "-N2", "-n2", "-c2", "--wrap", "sleep 3", log="/dev/null")
put_back(first, 2, "preemption")
trains(first, newest(run_dir), seconds=120)
ranks = [pid for name in rig.names for pid in rig.processes(name) if is_rank(pid)]
kill(ranks[-1])
wait_for(lambda: "starting again from step" in said(), 30, lambda: f"a killed rank: {now(first)}")
trains(first, newest(run_dir))
equal(slurm.state(first)[1], 2, "a killed rank is started again in the job, not put back")
rig.power_off("h2")
put_back(first, 3, "a node without power", seconds=90)
slurm.run("scancel", first)
wait_for(lambda: not [pid for pid in rig.processes("h1") if is_rank(pid)], 40, "scancel ends all")

# The time limit, on the one node that is left; with B: as in the script, and without. Slurm may send the
# signal up to 60 s early. Without B: ranks of the script's own node hear nothing, so TERM must do.
for n, signal_option in enumerate(("B:USR1@20", "USR1@20")):
    run = os.path.join(folder, f"limit-{n}")
    limited = job("-N1", "-t", "1", f"--signal={signal_option}", run=run)
    trains(limited, 0, run=run)
    put_back(limited, 1, f"time limit with --signal={signal_option}", seconds=150)
    slurm.run("scancel", limited)
    check(newest(run) % 50 != 0 or newest(run) > 0, "saved at the limit")

# To the end.
whole = os.path.join(folder, "whole")
steps = newest(run_dir) + 200
end_keys = ["--set", f"train.steps={steps}", "--set", "schedule.decay_steps=1000000", *KEYS]
good(train(config, whole, *end_keys, timeout=300), "uninterrupted")
good(train(config, run_dir, "--resume", *end_keys, timeout=300), "the job's run, to its end")
equal(hashes(run_dir)[steps], hashes(whole)[steps], "weights")
finish()
