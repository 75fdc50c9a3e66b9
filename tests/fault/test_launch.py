"""launch/run loses nothing: signals save or end at once, a lost rank is named in one line, nobody and
nothing is left behind, the user's options win."""
import mmap

from launching import *

folder = temp_folder()
config = small_setup(folder)
os.environ["TMPDIR"] = folder  # of Open MPI's session folders too
host = socket.gethostname().split(".")[0]


def path(name):
    return os.path.join(folder, name)


def begin(name, ranks=2, **how):
    run_dir = path(name)
    process = launch("train", config, "--set", f"run.dir={run_dir}", *ENDLESS, ranks=ranks, **how)
    trains(process, run_dir, ranks)
    return process, mark(process), run_dir


def helpers():
    """Processes of launch/run that have outlived it."""
    found = []
    for pid in processes():
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                words = file.read().decode(errors="replace")
        except OSError:
            continue
        if RUN in words and folder in words and stat(pid):
            found.append(pid)
    return found


def nobody_left(of, text):
    wait_for(lambda: not members(of), 5, f"{text}: all processes of the job are gone")
    wait_for(lambda: not helpers(), 5, f"{text}: launch/run has left nothing running")


# What dead launchers have left goes; what belongs to the living stays.
def leftovers():
    names = {}
    for job in ("dead", "live", "young"):
        names[job] = f"/dev/shm/vader_segment.{host}.{os.getuid()}.7fff{len(job)}.{job}"
        with open(names[job], "wb") as file:
            file.write(bytes(4096))
        if job != "young":
            os.utime(names[job], (0, 0))
    with open(names["live"], "rb") as file:
        view = mmap.mmap(file.fileno(), 4096, prot=mmap.PROT_READ)
    for pid in (4194305, os.getpid()):  # the first is more than there can be
        os.makedirs(path(f"ompi.{host}.{os.getuid()}/pid.{pid}"))
    return names, view


mpich = with_mpich()
names, view = leftovers()

# The first signal saves; HUP comes when a terminal closes.
process, of, run_dir = begin("stop")
if not mpich:
    equal([os.path.exists(names[job]) for job in ("dead", "live", "young")], [False, True, True],
          "segments there are after the sweep: dead, live, young")
    equal([os.path.exists(path(f"ompi.{host}.{os.getuid()}/pid.{pid}")) for pid in
           (4194305, os.getpid())], [False, True], "session folders: dead, live")
for name in names.values():
    if os.path.exists(name):
        os.remove(name)
process.send_signal(signal.SIGHUP)
result = end(process)
equal(result.code, 75, f"exit code after HUP; it said {result.err!r}")
equal(len(own_lines(result)), 1, f"one line of launch/run's: {result.err}")
check("stopped at step" in result.err and "Forwarding" not in result.err and
      "Killed" not in result.err, result.err)
nobody_left(of, "HUP")

# The second ends at once, also where a rank does not move.
process, of, run_dir = begin("twice")
kill(ranks_of(process)[1], signal.SIGSTOP)
process.send_signal(signal.SIGINT)
time.sleep(0.3)
began = time.monotonic()
process.send_signal(signal.SIGINT)
result = end(process)
equal(result.code, 130, f"exit code after INT twice; it said {result.err!r}")
check(time.monotonic() - began < 10, f"at once: {time.monotonic() - began:.1f} s")
nobody_left(of, "INT twice")

# A rank that is killed is named, in one line.
process, of, run_dir = begin("rank", ranks=3)
kill(ranks_of(process)[1])
result = end(process)
equal(result.code, 9 if mpich else 137, f"exit code after kill -9; it said {result.err!r}")
equal(len(own_lines(result)), 1, f"one line: {result.err}")
who = "process " if mpich else "rank 1 "
check(re.search(who + rf".*on {host}.* was ended by signal 9 \(KILL\); go on with --resume",
                result.err), result.err)
nobody_left(of, "kill -9 of a rank")
good(run("inspect", os.path.join(run_dir, "checkpoints", checkpoints(run_dir)[-1])), "newest")

# launch/run itself is killed: the ranks save and leave.
process, of, run_dir = begin("self")
process.kill()
process.wait()
wait_for(lambda: not members(of), 20, "kill -9 of launch/run: the ranks leave")
stopped_at = max(losses(run_dir))
check(any(f"{stopped_at:08d}" in c for c in checkpoints(run_dir)), f"saved at {stopped_at}")

equal(len([n for n in os.listdir(folder) if n.startswith("trireme-run.")]), 1, "its folder")
end(launch("version"))
equal([n for n in os.listdir(folder) if n.startswith("trireme-run.")], [], "is swept by the next")

# The user's options win over ours.
if not mpich:
    words = "--mca oob_tcp_keepalive_time 9 --bind-to none --map-by slot:OVERSUBSCRIBE".split()
    result = end(launch("version", options=[w for word in words for w in ("-m", word)]))
    equal(result.code, 0, f"options given twice; it said {result.err!r}")

# What is wrong with the options is said in a line.
for options, part in ((["-n", "0"], "-n wants"), (["--restart", "x"], "--restart wants"),
                      (["--nothing"], "no option --nothing"), (["-r", "2"], "--restart is for train")):
    one_line(end(launch("version", options=options)), 64, part)
nodes = path("nodes")
for options, env, part in ((["-m", "--hostfile", "-m", nodes], {}, "an option of -m names"), ([], {"PBS_NODEFILE": nodes}, "PBS_NODEFILE names")):
    one_line(end(launch("version", options=options, env=env)), 66, f"launch/run: {nodes}: cannot be read", part)
check("--restart N" in end(launch("version", options=["--help"])).err, "-h explains")
finish()
