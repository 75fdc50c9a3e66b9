"""launch/run over several hosts: a stop reaches all ranks; a host that is frozen, whose daemon is killed or
whose cable is pulled is named and left out, and the run ends in the bits of an undisturbed one."""
from rig import *

if "mpich" in subprocess.run(["ldd", PROGRAM], capture_output=True, text=True).stdout:
    skip("the launcher of MPICH cannot tell that a host is gone")
folder = temp_folder()
config = small_setup(folder)
STEPS = ["--set", "train.steps=3000", "--set", "eval.every=0", "--set", "log.tensorboard=false",
         "--set", "checkpoint.every=20"]
rig = Hosts(4)
nodes = os.path.join(folder, "nodes")
with open(nodes, "w") as file:
    file.writelines(f"{name} slots=1\n" for name in rig.names)


def on_hosts(run_dir, *options, steps=STEPS):
    """launch/run on h1, with a rank on each host."""
    words = [RUN, "-n", "4", "-m", "--hostfile", "-m", nodes, *options, "--", "train", config,
             "--set", f"run.dir={run_dir}", *steps]
    said = open(os.path.join(temp_folder(), "said"), "w+")
    process = subprocess.Popen(rig.words("h1", words), stdin=subprocess.DEVNULL, stdout=said,
                               stderr=said, env=dict(environment(), TRIREME=PROGRAM, **rig.environment()))
    process.said = said
    return process


def progress(process, run_dir, after, seconds=90):
    wait_for(lambda: process.poll() is not None or newest(run_dir) > after, seconds,
             lambda: f"a checkpoint after step {after}; launch/run said {text(process)!r}")


def ranks_on(name):
    return [pid for pid in rig.processes(name) if is_rank(pid)]


# A stop reaches all hosts.
run_dir = os.path.join(folder, "stopped")
process = on_hosts(run_dir, steps=ENDLESS)
progress(process, run_dir, 0)
process.send_signal(signal.SIGTERM)
result = end(process)
equal(result.code, 75, f"exit code after TERM; it said {result.err!r}")
wait_for(lambda: not any(ranks_on(name) for name in rig.names), 10, "no rank is left on any host")

def lost(n, host, seconds):
    """Waits until launch/run has said that it goes on without it."""
    began = time.monotonic()
    wait_for(lambda: process.poll() is not None or f"({n} of 9)" in text(process), 90,
             lambda: f"{host} is seen: {text(process)!r}")
    check(time.monotonic() - began < seconds, f"{host} is seen after {time.monotonic() - began:.0f} s")
    progress(process, run_dir, newest(run_dir))
    alive = [name for name in rig.names if name != host and ranks_on(name)]
    equal(len(alive), 4 - n, f"hosts with ranks after {host} was lost: {alive}")


# A host freezes, another's daemon dies, the cable of a third is pulled.
good(train(config, os.path.join(folder, "whole"), *STEPS, timeout=300), "uninterrupted")
run_dir = os.path.join(folder, "run")
process = on_hosts(run_dir, "--restart", "9", "--wait", "1",
                   steps=[*STEPS, "--set", "comm.deadline_s=5"])
progress(process, run_dir, 0)
rig.freeze("h4")
lost(1, "h4", 50)  # 5 s, 7 s for the launcher, 15 s for the host to answer
for pid in rig.processes("h2"):
    if "orted" in os.path.realpath(f"/proc/{pid}/exe"):
        kill(pid)
lost(2, "h2", 30)
rig.cut("h3")
lost(3, "h3", 45)
result = end(process, 300)
equal(result.code, 0, f"the run goes on to its end; it said {result.err!r}")
lines = own_lines(result)
check(len(lines) == 3 and "host h4 does not answer" in lines[0] and "ranks left: 3" in lines[0] and
      "host h2 was lost" in lines[1] and "ranks left: 2" in lines[1] and
      re.search("host h3 (was lost|does not answer)", lines[2]) and "ranks left: 1" in lines[2], f"a line each: {lines}")
equal(hashes(run_dir)[3000], hashes(os.path.join(folder, "whole"))[3000], "weights")
finish()
