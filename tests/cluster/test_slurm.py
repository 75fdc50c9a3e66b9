#!/usr/bin/env python3
"""A job in a real Slurm: requeue, preemption, a killed rank, a node and the batch node without power, a
frozen node, starts on other numbers of nodes, scancel, the time limit with B: and without.

    test_slurm.py mpirun      by launch/slurm.sbatch
    test_slurm.py srun        by `srun --mpi=pmix` in the script of docs/CLUSTERS.md

After each of them the run goes on by itself, and it ends in the bits of an undisturbed one.
"""
from rig import *

BY = sys.argv[1]
LIMIT_S = 8
folder = temp_folder()
config = small_setup(folder)
run_dir, log = os.path.join(folder, "run"), os.path.join(folder, "log")
CONSTANT = ["--set", "schedule.name=constant", "--set", "schedule.warmup_steps=0", "--set", "eval.every=0",
            "--set", "log.tensorboard=false"]
KEYS = ["--set", "train.steps=1000000", "--set", "checkpoint.every=50", "--set",
        f"comm.deadline_s={LIMIT_S}", *CONSTANT]


def script_of_page():
    """The job script of docs/CLUSTERS.md, without the four blanks before its lines."""
    with open(os.path.join(SOURCE, "docs", "CLUSTERS.md")) as file:
        lines = file.read().split("    #!/bin/bash\n", 1)[1].splitlines()
    path = os.path.join(folder, "job.sh")
    with open(path, "w") as file:
        file.write("#!/bin/bash\n")
        for line in lines:
            if not line.startswith("    "):
                break
            file.write(line[4:] + "\n")
    os.symlink(PROGRAM, os.path.join(folder, "trireme"))
    os.environ["PATH"] = folder + ":" + os.environ["PATH"]
    return path


SCRIPT = script_of_page() if BY == "srun" else os.path.join(SOURCE, "launch", "slurm.sbatch")
rig = Hosts(3)  # the controller is on h1, no job
slurm = Slurm(rig)


def submit(*options, run=run_dir, log=log):
    return slurm.submit("-x", "h1", "--ntasks-per-node=1", "-c1", *options, SCRIPT, config, "--set",
                        f"run.dir={run}", *KEYS, log=log, TRIREME=PROGRAM, TRIREME_HOME=SOURCE)


def said(since=0):
    return open(log).read()[since:] if os.path.exists(log) else ""


def now():
    return f"{slurm.state(job)}, {said()[-1500:]!r}"


def trains(job, run=run_dir, nodes=None, seconds=120):
    """Saves, and on so many nodes."""
    after = newest(run)
    wait_for(lambda: newest(run) > after and slurm.state(job)[0] == "RUNNING", seconds,
             lambda: f"job {job} saves after step {after}: {now()}")
    if nodes:
        equal(slurm.field(job, "NumNodes"), str(nodes), f"nodes: {now()}")


def put_back(job, text, seconds=90):
    """Into the queue once more than the last time."""
    global restarts
    restarts += 1
    wait_for(lambda: slurm.state(job)[1] == restarts, seconds, lambda: f"{text}: put back: {now()}")
    wait_for(lambda: slurm.state(job)[0] != "COMPLETING", 60, lambda: f"{text}: {now()}")


def ranks():
    return [pid for name in rig.names for pid in rig.processes(name) if is_rank(pid)]


def on_nodes(n):
    """From the queue, on so many."""
    slurm.run("scontrol", "update", f"JobId={job}", f"NumNodes={n}", f"NumTasks={n}")
    trains(job, nodes=n)


def check_requeue():
    since = len(said())
    slurm.run("scontrol", "requeue", job)
    put_back(job, "scontrol requeue")
    trains(job, nodes=2)
    check("with a checkpoint" in said(since), f"saved before the requeue: {said(since)!r}")


def check_preemption():
    slurm.submit("-p", "urgent", "-x", "h1", "-N2", "-n2", "-c2", "--wrap", "sleep 3", log="/dev/null")
    put_back(job, "preemption")
    trains(job, nodes=2)


def check_killed_rank():
    """Started again in the job by launch/run; put back by the other script."""
    since = len(said())
    kill(ranks()[-1])
    if BY == "srun":
        put_back(job, "a killed rank")
    else:
        wait_for(lambda: "starting again from step" in said(since), 60, lambda: f"a killed rank: {now()}")
        equal(slurm.state(job)[1], restarts, "started again in the job, not put back")
    trains(job, nodes=2)


def check_no_power(name, text):
    """Slurm puts the job back; it goes on where there is power, and on both nodes when there is again."""
    rig.power_off(name)
    put_back(job, text)
    on_nodes(1)
    rig.power_on(name)
    slurm.boot(name)
    slurm.run("scontrol", "requeue", job)
    put_back(job, f"{text}: it is there again")
    on_nodes(2)


def check_frozen(name):
    """The ranks say which host it is and end; Slurm gives the node up, and the job goes on elsewhere."""
    since, began = len(said()), time.monotonic()
    stopped = rig.processes(name)
    rig.freeze(name)
    wait_for(lambda: f"host {name} (rank" in said(since), LIMIT_S + 10, lambda: f"frozen: named: {now()}")
    wait_for(lambda: not ranks_but(name) or slurm.state(job)[1] > restarts, LIMIT_S + 10 -
             (time.monotonic() - began), lambda: f"frozen: the others end: {now()}")
    put_back(job, "frozen", seconds=120)
    errors = [line for line in said(since).splitlines() if re.match(r"(\d+: )?error", line)]
    equal(len(errors), 1, f"frozen: lines: {said(since)!r}")
    on_nodes(1)
    rig.thaw(name)
    old = lambda: [pid for pid in stopped if is_rank(pid)]
    wait_for(lambda: not old(), LIMIT_S + 40, "frozen: nothing of the old start is left when it is thawed")


def ranks_but(name):
    frozen = rig.processes(name)
    return [pid for pid in ranks() if pid not in frozen]


def check_cancel():
    saved = newest(run_dir)
    slurm.run("scancel", job)
    wait_for(lambda: not ranks(), 40, "scancel ends all")
    check(newest(run_dir) > saved or newest(run_dir) % 50 != 0, f"scancel: saved: {now()}")
    wait_for(lambda: slurm.state(job)[0] == "CANCELLED", 40, lambda: f"scancel: not put back: {now()}")


def check_limits():
    """With B: the script hears of it, without the ranks that srun started. Slurm may send the signal up to
    60 s early; what mpirun started on the script's node is told at the limit by
    TERM. Both at once, a node each."""
    global job, restarts
    limited = {}
    for option in ("B:USR1@20", "USR1@20") if BY == "mpirun" else ("USR1@20",):
        run = os.path.join(folder, "limit-" + option.replace(":", "-"))
        limited[option] = submit("-N1", "-t", "1", f"--signal={option}", run=run, log=run + ".log"), run
    for option, (job, run) in limited.items():
        restarts = 0
        put_back(job, f"time limit with --signal={option}", seconds=200)
        check(newest(run) > 0, f"--signal={option}: saved at the limit")
        slurm.run("scancel", job)


job, restarts = submit("-N2", "-t", "60"), 0
trains(job, nodes=2)
check_requeue()
check_preemption()
check_killed_rank()
batch = slurm.field(job, "BatchHost")
check_no_power("h3" if batch == "h2" else "h2", "a node without power")
check_no_power(slurm.field(job, "BatchHost"), "the batch node without power")
check_frozen("h3" if slurm.field(job, "BatchHost") == "h2" else "h2")
check_cancel()
check_limits()

# To the end.
end_keys = ["--set", f"train.steps={newest(run_dir) + 50}", *CONSTANT]
whole = os.path.join(folder, "whole")
good(train(config, whole, *end_keys, timeout=600), "undisturbed")
good(train(config, run_dir, "--resume", *end_keys, timeout=300), "the job's run, to its end")
equal(hashes(run_dir), hashes(whole), "weights")
finish()
