#!/usr/bin/env python3
"""Random kills over one run under launch/run --restart on 1 to 4 hosts: of a rank, of mpirun, of a host,
whose power goes, and of the whole job with all its hosts, after which all are switched on again and the
job goes on with another number of ranks. The weights are those of a run that nobody touched.

    test_kills.py [KILLS] [SEED]      default: 200 and the clock
"""
from rig import *
from kills import *

if "mpich" in subprocess.run(["ldd", PROGRAM], capture_output=True, text=True).stdout:
    skip("the launcher of MPICH cannot tell that a host is gone")
n_kills = int(sys.argv[1]) if len(sys.argv) > 1 else 200
seed = int(sys.argv[2]) if len(sys.argv) > 2 else int(time.time())
rig = Hosts(4)
nodes = rig.path("nodes")
with open(nodes, "w") as file:
    file.writelines(f"{name} slots=1\n" for name in rig.names)


def begin(config, keys):
    words = [RUN, "-n", random.randint(1, 4), "--restart", n_kills, "--wait", "0", "-m", "--hostfile",
             "-m", nodes, "--", "train", config, "--set", "comm.deadline_s=20", *keys]
    said = open(os.path.join(temp_folder(), "said"), "w+")
    process = subprocess.Popen(rig.words("h1", map(str, words)), stdin=subprocess.DEVNULL, stdout=said,
                               stderr=said, env=dict(environment(), TRIREME=PROGRAM, **rig.environment()))
    process.said = said
    return process


def ranks_on(names):
    return [pid for name in names for pid in rig.processes(name) if is_rank(pid)]


def kill_host(process):
    """Not h1, where launch/run is."""
    hosts = [name for name in rig.names[1:] if ranks_on([name])]
    return noticed(process, lambda: rig.power_off(random.choice(hosts))) if hosts else None


def kill_job(process):
    for name in rig.names:
        rig.power_off(name)
    process.wait()
    for name in rig.names:
        wait_for(lambda: not rig.processes(name), 10, f"all are gone on {name}")
        rig.power_on(name)
    return kills.begin()


kills = Kills(n_kills, seed, begin, lambda process: ranks_on(rig.names), {
    "rank": (2, lambda process: noticed(process, lambda: kill(random.choice(ranks_on(rig.names))))),
    "mpirun": (1, lambda process: noticed(process, lambda: kill(launcher(process)))),
    "host": (1, kill_host),
    "job": (2, kill_job)})
kills.finish(loud=sys.stdout.isatty() or len(sys.argv) > 1)
