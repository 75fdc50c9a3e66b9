"""A search that is killed ten times at random moments, on 1 to 4 ranks in turn, is the search that was not."""
import random
import shutil

from searches import *

folder = temp_folder()
set_up(folder, steps=4000)
path = space(folder, "space", "trials: 18, startup: 6, prune: asha, eta: 3, rungs: 3, parallel: 4, keep: 3")
good(run("tune", path, "-o", f"{folder}/whole", ranks=2, timeout=600), "undisturbed")
random_ = random.Random(os.environ.get("TRM_SEED", "1"))
kills = 0
for attempt in range(60):
    process = start("tune", path, "-o", f"{folder}/cut", "--resume", ranks=attempt % 4 + 1)
    try:
        process.communicate(timeout=random_.uniform(0.6, 1.6) if kills < 10 else 600)
        check(process.returncode == 0, f"exit code {process.returncode}")
        break
    except subprocess.TimeoutExpired:
        kills += 1
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
equal(kills, 10, "kills before the search ended")
for name in ("journal.csv", "trials.csv", "test.csv", "importance.csv"):
    check(read(f"{folder}/cut/{name}") == read(f"{folder}/whole/{name}"), f"{name} after {kills} kills")
check(len(with_checkpoints(f"{folder}/cut")) <= 3, "checkpoints")
shutil.rmtree(folder)
finish()
