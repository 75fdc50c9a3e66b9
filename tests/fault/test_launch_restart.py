"""launch/run --restart: a run of which a rank is killed ends in the bits of one that nobody touched. The
rules, by a launcher that only does as it is told: not twice from the same checkpoint, not more often than
asked, not after what would fail again, without a host that was lost. (test_launch_kills.py has many real
kills, and is long.)"""
from launching import *

folder = temp_folder()
config = small_setup(folder)


def path(name):
    return os.path.join(folder, name)


def restart(n, name, *steps, options=(), **how):
    return launch("train", config, "--set", f"run.dir={path(name)}", *steps,
                  options=["--restart", n, "--wait", 0, *options], **how)


steps = ["--set", "train.steps=300", "--set", "checkpoint.every=20", "--set", "eval.every=0",
         "--set", "log.tensorboard=false"]
good(train(config, path("whole"), *steps, ranks=1), "uninterrupted")
process = restart(4, "killed", *steps)
trains(process, path("killed"), 2, after=0)
kill(ranks_of(process)[1])
result = end(process)
equal(result.code, 0, f"goes on to the end; it said {result.err!r}")
equal(len(own_lines(result)), 1, f"a line: {result.err}")
equal(hashes(path("killed"))[300], hashes(path("whole"))[300], "weights after a restart")

if with_mpich():
    finish()  # the launcher below speaks as Open MPI's


def told(n, name, body, options=(), **env):
    """launch/run with a launcher that runs `body`, where $n counts its starts."""
    stand_in, starts = path("mpirun"), path(f"{name}.starts")
    with open(stand_in, "w") as file:
        file.write('#!/bin/bash\n[ "$1" != --version ] || { echo "mpirun (Open MPI) 4.1.4"; exit; }\n'
                   f'echo "${{*//$PWD/}}" >>{starts}\nn=$(wc -l <{starts})\n{body}\n')
    os.chmod(stand_in, 0o755)
    process = restart(n, name, "--resume", options=options, ranks=7,
                      env={"TRIREME_MPIRUN": stand_in, "OMPI_MCA_plm_rsh_agent": "/bin/true", **env})
    result = end(process)
    with open(starts) as file:
        return result, own_lines(result), len(file.readlines())


checkpoint = path("killed/checkpoints/step_00000300.h5")
result, lines, n_starts = told(5, "stuck", """echo "[a:1] plm:rsh: Warning: setpgid(2,2) failed in parent" >&200
kill -9 $$""")
equal((result.code, n_starts), (137, 2), f"exit code and starts without progress; {result.err!r}")
check("itself was ended by signal 9 (KILL); starting again from step none" in lines[0] and
      "no checkpoint since the last start (newest: step none)" in lines[1], f"{lines}")

result, lines, n_starts = told(5, "bad", f'echo "[$OMP_WAIT_POLICY]" >{path("policy")}; exit 78',
                               OMP_WAIT_POLICY="active")
equal((result.code, n_starts, lines), (78, 1, []), f"what must be mended; {result.err!r}")
with open(path("policy")) as file:
    equal(file.read(), "[active]\n", "OMP_WAIT_POLICY is the user's")

# A rank that ends a launcher which waits for a frozen host leaves its exit code.
result, lines, n_starts = told(0, "left", 'echo 71 >"$TRIREME_EXIT_FILE"; kill -9 $$')
equal((result.code, n_starts), (71, 1), f"the code that was left; {result.err!r}")

# A host goes, then another, which is one too many.
with open(path("nodes"), "w") as file:
    file.write("a slots=2\nb slots=2 # the first that goes\nc.example slots=3\n")
result, lines, n_starts = told(
    1, "hosts", f"""while [ $# -gt 0 ]; do [ "$1" != --hostfile ] || cp "$2" {path('hosts-')}$n; shift; done
mkdir -p {path('hosts/checkpoints')}
[ $n != 1 ] || cp {checkpoint} {path('hosts/checkpoints')}
printf '%s\\n' "ORTE has lost communication with a remote daemon." "" \\
  "  HNP daemon   : [[1,0],0] on node a" "  Remote daemon: [[1,0],2] on node $([ $n = 1 ] && echo b || echo c)" >&200
exit 205""", options=["-m", "--hostfile", "-m", path("nodes")])
equal((result.code, n_starts), (205, 2), f"exit code and starts; it said {result.err!r}")
check(len(lines) == 2 and "host b was lost" in lines[0] and "ranks left: 5" in lines[0] and
      "starting again from step 300" in lines[0] and "host c was lost" in lines[1] and
      "started again 1 times already" in lines[1], f"{lines}")
with open(path("hosts-2")) as file:
    equal(file.read().split("\n"), ["a slots=2", "c.example slots=3", ""], "hosts left")
finish()
