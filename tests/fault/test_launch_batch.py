"""The job scripts. pbs.sh under a stand-in for PBS, which is not to be had everywhere: the environment,
host file and signals of a job, `qstat` and `qsub` that say and note what the real ones would. What a
script says when something is missing."""
from launching import *

folder = temp_folder()
config = small_setup(folder)
bin_folder, nodes = os.path.join(folder, "bin"), os.path.join(folder, "nodes")
os.makedirs(bin_folder)
PBS, SLURM = (os.path.join(SOURCE, "launch", name) for name in ("pbs.sh", "slurm.sbatch"))


def script(name, body):
    with open(os.path.join(bin_folder, name), "w") as file:
        file.write("#!/bin/sh\n" + body)
        os.fchmod(file.fileno(), 0o755)


script("qsub", f'echo "$TRIREME_ARGS" >>{folder}/submitted\necho "$*" >{folder}/asked\n')
host = socket.gethostname()
with open(nodes, "w") as file:  # two ranks on this host, as mpiprocs=2 has it
    file.write(f"{host}\n{host}\n")


def walltime(given, used):
    script("qstat", f'printf "    resources_used.walltime = {used}\\n    Resource_List.walltime = {given}\\n"\n'
           'printf "    Resource_List.select = 1:ncpus=4:\\n\\tmpiprocs=2\\n    Account_Name = ships\\n"\n')


def job(path, *words, shell=None, **env):
    """A job script as its scheduler starts it."""
    said = open(os.path.join(temp_folder(), "said"), "w+")
    base = {k: v for k, v in environment().items() if not k.startswith(("SLURM_", "PBS_"))}
    process = subprocess.Popen(
        ["bash", path, *words], stdin=subprocess.DEVNULL, stdout=said, stderr=said, cwd=folder,
        env={**base, "PATH": bin_folder + ":" + base["PATH"], "TRIREME": PROGRAM,
             "TRIREME_HOME": SOURCE, **env})
    process.said = said
    return process


def pbs(run, *more, **env):
    words = " ".join([config, "--set", f"run.dir={run}", *ENDLESS, *more])
    return job(PBS, PBS_JOBID="7.server", PBS_NODEFILE=nodes, PBS_O_WORKDIR=folder,
               TRIREME_ARGS=words, **env)


def submitted():
    path = os.path.join(folder, "submitted")
    return open(path).read().splitlines() if os.path.exists(path) else []


# The run is told how long it has, on as many ranks as the file has lines; its continuation is submitted
# with the same words. (A program that does nothing but say so and leave with 75.)
run_dir = os.path.join(folder, "pbs")
lazy = os.path.join(bin_folder, "lazy")
script("lazy", f'case "$*" in *--where*) exec {PROGRAM} "$@" ;; esac\necho "lazy: $*"\nexit 75\n')
walltime("00:01:02", "00:00:20")
result = end(pbs(run_dir, TRIREME=lazy, TRIREME_RESERVE_S="40"))
equal(result.code, 75, f"stopped before the walltime; it said {result.err!r}")
told = [line for line in result.lines() if line.startswith("lazy: train")]
check(len(told) == 2 and "train.time_budget_s=2 " in told[0], f"two ranks, 2 s: {result.err}")
equal(len(submitted()), 1, "one continuation")
asked = open(os.path.join(folder, "asked")).read()
for part in ("-l select=1:ncpus=4:mpiprocs=2 ", "-l walltime=00:01:02 ", "-A ships "):
    check(part in asked, f"submitted as the job was, with {part!r}: {asked!r}")
check(submitted()[:1] and run_dir in submitted()[0], f"the same words: {submitted()}")

# PBS's TERM, at the limit or by qdel: saved, too.
walltime("10:00:00", "00:00:00")
before = newest(run_dir)
process = pbs(run_dir)
wait_for(lambda: process.poll() is not None or newest(run_dir) > before, 60, "the job trains")
process.send_signal(signal.SIGTERM)
result = end(process)
equal(result.code, 75, f"TERM; it said {result.err!r}")
check("stopped at step" in result.err, result.err)
equal(len(submitted()), 2, "two continuations")

# Starts that bring nothing new are not submitted for ever.
result = end(pbs(run_dir, TRIREME=lazy, TRIREME_MAX_RESTARTS="1"))
equal(result.code, 75, f"nothing done; it said {result.err!r}")
check("1 starts in a row saved nothing new" in result.err, result.err)
equal(len(submitted()), 2, "no third continuation")

# A job that Slurm does not take back says how to go on.
script("scontrol", "exit 1\n")
result = end(job(SLURM, config, "--set", f"run.dir={run_dir}", SLURM_JOB_ID="7", SLURM_NTASKS="1", TRIREME=lazy))
equal(result.code, 75, f"not taken back; it said {result.err!r}")
check("scontrol requeue failed; go on by hand: sbatch launch/slurm.sbatch" in result.err, result.err)

# What is wrong, in a line, and 64.
for path, words, env, part in (
        (PBS, [], {}, "this is a job"),
        (PBS, [], {"PBS_JOBID": "7"}, "usage: qsub"),
        (PBS, [config], {"PBS_JOBID": "7", "PBS_NODEFILE": "/no/file"}, "PBS_NODEFILE (/no/file)"),
        (SLURM, [config], {}, "this is a job"),
        (SLURM, [], {"SLURM_JOB_ID": "7"}, "usage: sbatch"),
        (SLURM, [config], {"SLURM_JOB_ID": "7"}, "neither SLURM_NTASKS nor SLURM_TASKS_PER_NODE")):
    one_line(end(job(path, *words, **env)), 64, part)
walltime("00:01:00", "00:00:10")
one_line(end(pbs(run_dir)), 64, "the walltime leaves nothing")
one_line(end(job(RUN, "version", SLURM_NTASKS="2(x2)")), 64, "'2(x2)'", "SLURM_NTASKS")

# As many ranks as there are places for.
home = os.path.join(folder, "home", "launch")
os.makedirs(home)
os.symlink(os.path.join(SOURCE, "launch", "parts"), os.path.join(home, "parts"))
script("../home/launch/run", 'echo "run $*"\n')
for env, want in (({"SLURM_NTASKS": "3"}, 3), ({"SLURM_TASKS_PER_NODE": "2(x2),1"}, 5),
                  ({"SLURM_NTASKS": "3", "SLURM_TASKS_PER_NODE": "2,1"}, 3),
                  ({"SLURM_NTASKS": "3", "SLURM_TASKS_PER_NODE": "1(x2)"}, 2)):
    result = end(job(SLURM, config, SLURM_JOB_ID="7", TRIREME_HOME=os.path.dirname(home), **env))
    check(f"run -n {want} " in result.err, f"{want} ranks with {env}: {result.err}")

# The words of SLURM_TASKS_PER_NODE are understood.
hosts = os.path.join(SOURCE, "launch", "parts", "hosts.sh")
for given, want in (("2(x2),1", "2 2 1"), ("3", "3"), ("1(x3)", "1 1 1")):
    done = subprocess.run(["bash", "-c", f'. {hosts}; expand_tasks "$1" | paste -sd" "', "-", given],
                          capture_output=True, text=True)
    equal(done.stdout.strip(), want, f"SLURM_TASKS_PER_NODE={given}")
finish()
