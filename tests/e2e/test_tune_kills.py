"""A search that is killed ten times, on 1 to 4 ranks in turn, is the search that was not.

Each kill waits for a sign of progress since the search was started again (a trial begun, a checkpoint, a job in
the journal), so the search gets on between kills on any machine, and cannot end before them: ten signs are
fewer than it has jobs."""
import glob
import random
import shutil

from searches import *

folder = temp_folder()
cut = f"{folder}/cut"
set_up(folder, steps=4000)
path = space(folder, "space", "trials: 18, startup: 6, prune: asha, eta: 3, rungs: 3, parallel: 4, keep: 3")


def files(pattern):
    """Of the search, with the moment of each: a checkpoint of the same name may be written again."""
    found = set()
    for name in glob.glob(f"{cut}/{pattern}"):
        try:
            found.add((name, os.stat(name).st_mtime_ns))
        except FileNotFoundError:  # pruned since it was listed
            pass
    return found


def lines():
    return read(f"{cut}/journal.csv").count("\n") if os.path.exists(f"{cut}/journal.csv") else 0


# What has happened so far, by the sign that is waited for.
SIGNS = (lambda: files("trials/*/config.yaml"), lambda: files("trials/*/checkpoints/step_*.h5"), lines)


def killed(sign, ranks, delay_s):
    """Starts the search, and kills all of it a moment after the sign; false: it ended before."""
    before = sign()
    process = start("tune", path, "-o", cut, "--resume", ranks=ranks)
    while process.poll() is None and sign() == before:
        time.sleep(0.005)
    time.sleep(delay_s)
    alive = process.poll() is None
    if alive:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    return alive


good(run("tune", path, "-o", f"{folder}/whole", ranks=2, timeout=600), "undisturbed")
random_ = random.Random(os.environ.get("TRM_SEED", "1"))
for kill in range(10):
    check(killed(SIGNS[kill % 3], kill % 4 + 1, random_.uniform(0, 0.1)), f"the search ended before kill {kill + 1}")
jobs = lines()
good(run("tune", path, "-o", cut, "--resume", ranks=3, timeout=600), "the rest of the search")
check(jobs < lines(), f"{jobs} lines of the journal when it was killed last, {lines()} at its end")
for name in ("journal.csv", "trials.csv", "test.csv", "importance.csv"):
    check(read(f"{cut}/{name}") == read(f"{folder}/whole/{name}"), f"{name} after ten kills")
check(len(with_checkpoints(cut)) <= 3, "checkpoints")
shutil.rmtree(folder)
finish()
