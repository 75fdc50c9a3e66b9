"""launch/run --restart: a run whose ranks are killed ends in the bits of one that was not; it is not
started twice from the same checkpoint, nor more often than asked, nor after what would fail again."""
from launching import *

folder = temp_folder()
config = small_setup(folder)
STEPS = ["--set", "train.steps=400", "--set", "checkpoint.every=20", "--set", "eval.every=0", "--set", "log.tensorboard=false"]


def path(name):
    return os.path.join(folder, name)


def restart(n, name, *steps, options=(), **how):
    return launch("train", config, "--set", f"run.dir={path(name)}", *steps,
                  options=["--restart", n, "--wait", 0, *options], **how)


def lost_line(process, n):
    wait_for(lambda: process.poll() is not None or
             len(re.findall("starting again", text(process))) == n, 30, f"restart {n}")


# Killed twice, each time with a checkpoint in between.
good(train(config, path("whole"), *STEPS, ranks=1), "uninterrupted")
process = restart(4, "killed", *STEPS)
for n in (1, 2):
    trains(process, path("killed"), 2, after=newest(path("killed")))
    kill(ranks_of(process)[n - 1])
    lost_line(process, n)
result = end(process)
equal(result.code, 0, f"goes on to the end; it said {result.err!r}")
equal(len(own_lines(result)), 2, f"a line a restart: {result.err}")
equal(hashes(path("killed"))[400], hashes(path("whole"))[400], "weights after two restarts")

# Never twice from the same checkpoint.
rare = [*ENDLESS, "--set", "checkpoint.every=100000"]
process = restart(5, "stuck", *rare)
for n in (1, 2):
    wait_for(lambda: len(ranks_of(process)) == 2, 30, "two ranks")
    time.sleep(0.2)
    kill(ranks_of(process)[0])
    if n == 1:
        lost_line(process, 1)
result = end(process)
check(result.code in (137, 9), f"exit code {result.code}; it said {result.err!r}")
check("no checkpoint since the last start (newest: step none)" in own_lines(result)[-1], result.err)

# Not more often than asked. A launcher that only says what mpirun would: a host goes twice.
stand_in = path("mpirun")
with open(stand_in, "w") as file:
    file.write("""#!/bin/bash
[ "$1" != --version ] || { echo "mpirun (Open MPI) 4.1.4"; exit; }
printf '%%s ' "$@" >>%s/starts
echo >>%s/starts
while [ $# -gt 0 ]; do [ "$1" != --hostfile ] || cat "$2" >>%s/hosts; shift; done
n=$(wc -l <%s/starts)
mkdir -p %s/hostless/checkpoints
cp %s/killed/checkpoints/step_00000400.h5 %s/hostless/checkpoints/step_0000040$n.h5
printf '%%s\\n' "ORTE has lost communication with a remote daemon." "" \\
  "  HNP daemon   : [[1,0],0] on node a" "  Remote daemon: [[1,0],2] on node ${n/[1]/b}" >&200
exit 205
""" % ((folder,) * 7))
os.chmod(stand_in, 0o755)
with open(path("nodes"), "w") as file:
    file.write("a slots=2\nb slots=2 # the one that goes\nc.example slots=3\n")
if "mpich" not in subprocess.run(["ldd", PROGRAM], capture_output=True, text=True).stdout:
    os.makedirs(path("hostless"))
    process = restart(1, "hostless", "--resume", options=["-m", "--hostfile", "-m", path("nodes")],
                      ranks=7, env={"TRIREME_MPIRUN": stand_in})
    result = end(process)
    equal(result.code, 205, f"exit code; it said {result.err!r}")
    lines = own_lines(result)
    check(len(lines) == 2 and "host b was lost" in lines[0] and "5 ranks are left" in lines[0] and
          "started again 1 times already" in lines[1], result.err)
    with open(path("hosts")) as file:
        equal(file.read().split("\n")[-3:], ["a slots=2", "c.example slots=3", ""], "hosts left")

# What the program says no to would fail again; a stop is no loss.
result = end(restart(3, "bad", "--set", "model.layers=-1"))
equal(result.code, 78, f"a bad configuration; it said {result.err!r}")
equal(own_lines(result), [], "nothing to add to the program's line")
process = restart(3, "stopped", *ENDLESS)
trains(process, path("stopped"), 2)
process.send_signal(signal.SIGTERM)
equal(end(process).code, 75, "a stop under --restart")
finish()
