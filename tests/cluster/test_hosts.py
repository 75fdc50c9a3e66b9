"""launch/run over several hosts: a stop reaches all ranks; a host whose daemon is killed, or whose cable
is pulled, is named in one line and left out, and the run ends in the bits of an undisturbed one."""
from rig import *

if "mpich" in subprocess.run(["ldd", PROGRAM], capture_output=True, text=True).stdout:
    skip("the launcher of MPICH cannot tell that a host is gone")
folder = temp_folder()
config = small_setup(folder)
STEPS = ["--set", "train.steps=3000", "--set", "eval.every=0", "--set", "log.tensorboard=false",
         "--set", "checkpoint.every=20"]
rig = Hosts(3)
nodes = os.path.join(folder, "nodes")
with open(nodes, "w") as file:
    file.writelines(f"{name} slots=1\n" for name in rig.names)


def on_hosts(run_dir, *options, steps=STEPS):
    """launch/run on h1, with a rank on each host."""
    words = [RUN, "-n", "3", "-m", "--hostfile", "-m", nodes, *options, "--", "train", config,
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

# A host's daemon dies, then another host's cable is pulled.
good(train(config, os.path.join(folder, "whole"), *STEPS, timeout=300), "uninterrupted")
run_dir = os.path.join(folder, "run")
process = on_hosts(run_dir, "--restart", "3", "--wait", "1")
progress(process, run_dir, 0)
for pid in rig.processes("h2"):
    if "orted" in os.path.realpath(f"/proc/{pid}/exe"):
        kill(pid)
wait_for(lambda: "(1 of 3)" in text(process), 30, lambda: f"h2 is seen: {text(process)!r}")
progress(process, run_dir, newest(run_dir))
check(len(ranks_on("h1") + ranks_on("h3")) == 2 and not ranks_on("h2"), "two ranks, none on h2")
rig.cut("h3")
began = time.monotonic()
wait_for(lambda: "(2 of 3)" in text(process), 60, lambda: f"h3 is seen: {text(process)!r}")
seen_s = time.monotonic() - began
check(seen_s < 30, f"the cable is seen after {seen_s:.0f} s")
result = end(process, 300)
equal(result.code, 0, f"the run goes on to its end; it said {result.err!r}")
lines = own_lines(result)
check(len(lines) == 2 and "host h2 was lost" in lines[0] and "2 ranks are left" in lines[0] and
      "host h3 was lost" in lines[1] and "1 ranks are left" in lines[1], f"a line each: {lines}")
equal(hashes(run_dir)[3000], hashes(os.path.join(folder, "whole"))[3000], "weights")
finish()
