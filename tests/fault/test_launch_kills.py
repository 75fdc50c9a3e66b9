#!/usr/bin/env python3
"""Random kills over one run under launch/run --restart: of a rank, of mpirun, of the whole job with
launch/run, which is then started again on another number of ranks, 1 to 4. The weights are those of a
run that nobody touched, after every checkpoint that both have.

    test_launch_kills.py [KILLS] [SEED]      default: 200 and the clock; CTest has the label `long`

cluster/test_kills.py does it on several hosts, hosts among the killed.
"""
from kills import *

n_kills = int(sys.argv[1]) if len(sys.argv) > 1 else 200
seed = int(sys.argv[2]) if len(sys.argv) > 2 else int(time.time())


def begin(config, keys):
    return launch("train", config, *keys, ranks=random.randint(1, 4),
                  options=["--restart", n_kills, "--wait", 0])


def kill_job(process):
    """What a power cut would do."""
    of = mark(process)
    for pid in [process.pid, *members(of)]:
        kill(pid)
    process.wait()
    wait_for(lambda: not members(of), 10, "all are gone")
    return kills.begin()


kills = Kills(n_kills, seed, begin, ranks_of, {
    "rank": (2, lambda process: noticed(process, lambda: kill(random.choice(ranks_of(process))))),
    "mpirun": (1, lambda process: noticed(process, lambda: kill(launcher(process)))),
    "job": (1, kill_job)})
kills.finish(loud=sys.stdout.isatty() or len(sys.argv) > 1)
