"""Twenty kill -9 of a whole run at random moments, checkpoint writes included: the run goes on from
its newest good checkpoint every time and ends in the bits of an uninterrupted one. A damaged newest
checkpoint is named and the one before it used."""
import os
import random
import shutil
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
from harness import *

KILLS = 20
random.seed(12)
folder = temp_folder()
# Every step is saved, so most kills fall into a write.
config = small_setup(folder, text=SMALL.replace("every: 5, keep: 3", "every: 1, keep: 3"))
more = ["--set", "train.steps=400", "--set", "eval.every=0", "--set", "log.tensorboard=false"]


def path(name):
    return os.path.join(folder, name)


good(train(config, path("whole"), *more, ranks=2, timeout=300), "uninterrupted")

run_dir = path("killed")
kills = in_write = 0
newest_before = -1
while True:
    process = start("train", config, "--set", f"run.dir={run_dir}", "--resume", *more, ranks=2)
    deadline = time.monotonic() + 120
    if kills < KILLS:
        seen = newest_before

        def moved():  # a few checkpoints further than the last time
            folder_ = os.path.join(run_dir, "checkpoints")
            names = checkpoints(run_dir) if os.path.isdir(folder_) else []
            return process.poll() is not None or (names and int(names[-1][5:-3]) >= seen + 3)

        wait_for(moved, 60, "the resumed run makes progress")
        time.sleep(random.uniform(0, 0.05))
        ranks = descendants(process.pid)
        for pid in [process.pid, *ranks]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        process.communicate()
        for pid in ranks:  # a killed rank's files must be quiet before the next start
            wait_for(lambda: not os.path.exists(f"/proc/{pid}/mem") or
                     open(f"/proc/{pid}/stat").read().split(")")[1].split()[0] == "Z", 10, "gone")
        kills += 1
        names = os.listdir(os.path.join(run_dir, "checkpoints"))
        in_write += any("tmp" in name for name in names)
        newest = int(checkpoints(run_dir)[-1][5:-3])
        check(newest >= newest_before, f"newest checkpoint went back: {newest_before} to {newest}")
        good(run("inspect", os.path.join(run_dir, "checkpoints", checkpoints(run_dir)[-1])),
             f"newest checkpoint after kill {kills}")
        newest_before = newest
        continue
    _, err = process.communicate(timeout=300)
    equal(process.returncode, 0, f"the last start runs to its end\n{err}")
    break
check(in_write > 0, f"no kill of {kills} fell into a write")
equal(hashes(run_dir)[400], hashes(path("whole"))[400], f"weights after {kills} kills")
left = [n for n in os.listdir(os.path.join(run_dir, "checkpoints")) if "tmp" in n]
equal(left, [], "temporary files are swept")

# Damage: cut, and one bit flipped in the middle of an array.
for kind in ("cut", "flip"):
    copy = path(kind)
    shutil.copytree(run_dir, copy)
    names = checkpoints(copy)
    newest = os.path.join(copy, "checkpoints", names[-1])
    content = bytearray(open(newest, "rb").read())
    if kind == "cut":
        content = content[:-1000]
    else:
        content[len(content) // 2] ^= 4
    os.remove(newest)  # best.h5 may be the same file
    with open(newest, "wb") as file:
        file.write(content)
    result = train(config, copy, "--resume", *more, "--set", "train.steps=401", "--set",
                   "schedule.decay_steps=400", ranks=2)
    good(result, f"resume past a damaged checkpoint ({kind})")
    check(names[-1] in result.err and names[-2] in result.err,
          f"names the damaged one and the one used: {result.err}")
    equal(hashes(copy)[400], hashes(path("whole"))[400], f"the same bits after damage ({kind})")
finish()
