"""A disk that fills up while a checkpoint is saved: one line, exit code 74, the previous checkpoint
intact; with room again the run goes on from it. Needs to mount a small tmpfs."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
from harness import *

folder = temp_folder()
config = small_setup(folder)
disk = os.path.join(folder, "disk")
os.mkdir(disk)
mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", disk],
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
if mounted.returncode != 0:
    skip("cannot mount a tmpfs here (needs root)")
try:
    wide = ["--set", "model.width=64", "--set", "checkpoint.keep=50", "--set", "checkpoint.every=2",
            "--set", "checkpoint.failures=0"]
    run_dir = os.path.join(disk, "run")
    good(train(config, os.path.join(folder, "whole"), *wide), "undisturbed")
    for ranks in (0, 2):
        result = train(config, run_dir, *wide, ranks=ranks)
        equal(result.code, 74, f"exit code on a full disk\n{result.err}")
        errors = [line for line in result.lines() if line.startswith("error")]
        equal(len(errors), 1, f"one error line\n{result.err}")
        check("step_" in result.err and "space" in result.err, f"says what: {result.err}")
        kept = checkpoints(run_dir)
        check(len(kept) >= 2, f"checkpoints before it are there: {kept}")
        for name in kept:
            good(run("inspect", os.path.join(run_dir, "checkpoints", name)), f"{name} is whole")
        left = [n for n in os.listdir(os.path.join(run_dir, "checkpoints")) if "tmp" in n]
        equal(left, [], "no temporary file is left")
        subprocess.run(["mount", "-o", "remount,size=100m", disk], check=True)
        good(train(config, run_dir, *wide, "--resume", ranks=ranks), "goes on with room again")
        equal(hashes(run_dir), hashes(os.path.join(folder, "whole")), "and ends in the same bits")
        subprocess.run(["rm", "-r", run_dir], check=True)
        # By default the run goes on while an older checkpoint is there; what is left out is told.
        subprocess.run(["mount", "-o", "remount,size=3m", disk], check=True)
        result = train(config, run_dir, *wide, "--set", "checkpoint.failures=1000", ranks=ranks)
        warned = [line for line in result.lines() if "The run goes on" in line]
        check(len(warned) > 1 and "MB are free" in warned[0], f"warnings with sizes: {result.err}")
        equal(result.code, 74, "the last checkpoint is no matter of luck")
        equal(max(losses(run_dir)), 20, "the steps were made")
        subprocess.run(["rm", "-r", run_dir], check=True)
        subprocess.run(["mount", "-o", "remount,size=3m", disk], check=True)
finally:
    subprocess.run(["umount", disk], check=False)
finish()
