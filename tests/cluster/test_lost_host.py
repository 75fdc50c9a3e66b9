"""A host of a job that mpirun started is frozen, cut off, without power, on its own or with the launcher
on it; or only slow. The watch ends the job within the limit and ten seconds, also the launcher, which
waits for ever for the daemon of a frozen host, with one line that names the host; nothing is left
running; the newest checkpoint is good, and a run resumed from it has the bits of an undisturbed one."""
from rig import *

LIMIT_S = 5
folder = temp_folder()
config = small_setup(folder)
MORE = ["--set", "eval.every=0", "--set", "log.tensorboard=false", "--set", "checkpoint.every=20",
        "--set", "schedule.name=constant", "--set", "schedule.warmup_steps=0",
        "--set", f"comm.deadline_s={LIMIT_S}"]
rig = Hosts(3)
whole = {}


def start_run(run_dir, slots):
    """mpirun on h1, with `slots` ranks on each host; and the file for the exit code."""
    exit_file = f"{run_dir}.exit"
    open(exit_file, "w").close()
    hosts = ",".join(f"{name}:{slots}" for name in rig.names)
    words = [MPIEXEC, "-q", "--host", hosts, "--bind-to", "none", "-n", str(3 * slots), PROGRAM, "train",
             config, "--set", f"run.dir={run_dir}", "--set", "train.steps=1000000", *MORE]
    env = dict(environment(), TRIREME_EXIT_FILE=exit_file, **rig.environment())
    said = open(f"{run_dir}.said", "w+")
    return subprocess.Popen(rig.words("h1", words), stdin=subprocess.DEVNULL, stdout=said, stderr=said,
                            env=env, start_new_session=True), exit_file


def said_by(run_dir):
    with open(f"{run_dir}.said") as file:
        return file.read()


def newest_of(run_dir):
    path = os.path.join(run_dir, "checkpoints")
    names = [n for n in os.listdir(path) if n.startswith("step_")] if os.path.isdir(path) else []
    return max((int(name[5:-3]) for name in names), default=-1)


def signal_host(name, number):
    for pid in rig.processes(name):
        kill(pid, number)


def heal(name):
    signal_host(name, signal.SIGCONT)
    rig.inside("switch", f"ip link set p{name[1:]} up")
    if os.path.exists(rig.path(f"{name}.cut")):
        os.remove(rig.path(f"{name}.cut"))


def programs_on(name):
    found = []
    for pid in rig.processes(name):
        try:
            with open(f"/proc/{pid}/comm") as file:
                if file.read().strip() in ("trireme", "orted", "mpirun", "mpiexec"):
                    found.append(pid)
        except OSError:
            pass
    return found


def check_bits(run_dir, text):
    """Resumed on this machine, for 20 steps more than the newest checkpoint."""
    end_step = newest_of(run_dir) + 20
    result = train(config, run_dir, *MORE, "--resume", "--set", f"train.steps={end_step}", ranks=2)
    good(result, f"{text}: resumed")
    if end_step not in whole:
        path = os.path.join(folder, f"whole-{end_step}")
        good(train(config, path, *MORE, "--set", f"train.steps={end_step}", timeout=300), "undisturbed")
        whole[end_step] = hashes(path)[end_step]
    equal(hashes(run_dir)[end_step], whole[end_step], f"{text}: weights of step {end_step}")


def check_lost(text, fault, name, slots, want):
    run_dir = os.path.join(folder, text.replace(" ", "-"))
    process, exit_file = start_run(run_dir, slots)
    wait_for(lambda: process.poll() is not None or newest_of(run_dir) > 0, 60, f"{text}: a checkpoint")
    fault(name)
    began = time.monotonic()
    try:
        process.wait(LIMIT_S + 60)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    took_s = time.monotonic() - began
    said = said_by(run_dir)
    check(took_s < LIMIT_S + 10, f"{text}: ended after {took_s:.1f} s")
    with open(exit_file) as file:
        killed = file.read().strip()
    # mpirun's own code, unless it had to be killed.
    equal(killed or str(process.returncode), "71", f"{text}: exit code\n{said}")
    errors = [line for line in said.splitlines() if line.startswith("error")]
    equal(len(errors), 1, f"{text}: lines\n{said}")
    check(all(part in said for part in want), f"{text}: {errors}")
    heal(name)
    wait_for(lambda: not any(programs_on(host) for host in rig.names), 10,
             f"{text}: nothing is left running")
    kept = checkpoints(run_dir)
    good(run("inspect", os.path.join(run_dir, "checkpoints", kept[-1])), f"{text}: newest checkpoint")
    check_bits(run_dir, text)


check_lost("frozen", lambda name: signal_host(name, signal.SIGSTOP), "h2", 1,
           ["host h2 (rank 1) does not answer", "frozen", "the other ranks wait"])
check_lost("cut off", rig.cut, "h3", 1, ["host h3 (rank 2) does not answer", "cut off"])
check_lost("without power", rig.power_off, "h2", 2, ["host h2 (ranks 2, 3) does not answer", "power"])

# A rank of two on a host is stopped: the other one looks at it.
def stop_rank(name):
    ranks = sorted(pid for pid in programs_on(name) if "trireme" in os.readlink(f"/proc/{pid}/exe"))
    kill(ranks[0], signal.SIGSTOP)


check_lost("one of two stopped", stop_rank, "h2", 2, ["(h2) is stopped by a signal"])

# A cable that is out for less than the limit, and a host frozen for less: the run goes on.
run_dir = os.path.join(folder, "brief")
process, _ = start_run(run_dir, 1)
wait_for(lambda: process.poll() is not None or newest_of(run_dir) > 0, 60, "a checkpoint")
signal_host("h2", signal.SIGSTOP)
time.sleep(LIMIT_S / 2)
signal_host("h2", signal.SIGCONT)
before = newest_of(run_dir)  # both pauses together would be longer than the limit
wait_for(lambda: process.poll() is not None or newest_of(run_dir) > before, 60, "it goes on after the host")
rig.cut("h3")
time.sleep(LIMIT_S / 2)
heal("h3")
before = newest_of(run_dir)
wait_for(lambda: process.poll() is not None or newest_of(run_dir) > before + 20, 60, "it goes on")
check(process.poll() is None, f"it was not ended: {said_by(run_dir)!r}")
os.killpg(process.pid, signal.SIGUSR1)
equal(process.wait(30), 75, f"exit code when stopped\n{said_by(run_dir)}")
check_bits(run_dir, "after a brief silence")
finish()
