#!/usr/bin/env python3
"""Whether two commits train the same bits: builds both, runs the same settings on both, compares the
hashes.csv of every run (the weights and the samples after every step).

usage: tests/compare_builds.py OLD [NEW]    two commits; NEW: the tree as it is

The settings are those of test_layouts.py, test_graph_layouts.py and the golden tests, as this tree has
them: data sets, configurations and samples are made by each program for itself. Prints a line for each
setting and what build time and program size came to; exits with 1 when a hash differs. About 10 minutes on
two cores.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(HERE)
sys.path += [os.path.join(HERE, "e2e"), os.path.join(HERE, "golden")]

# Of test_layouts.py: name, ranks, threads, what is set beside.
TEXT = [("text-1x1", 1, 1, []), ("text-1x2", 1, 2, []), ("text-2x1", 2, 1, []), ("text-3x1", 3, 1, []),
        ("text-4x1", 4, 1, []), ("text-sharded-3x1", 3, 1, ["optimizer.sharded=true"]),
        ("text-messages-4x1", 4, 1, ["comm.shared_window=false", "comm.bucket_kib=16"]),
        ("text-thread-3x1", 3, 1, ["comm.progress=thread", "comm.bucket_kib=16"]),
        ("text-ring-3x1", 3, 1, ["comm.allreduce=ring"])]
VARIANTS = ["model.tied=true", "model.bias=false", "model.positions=sinusoidal", "model.activation=relu",
            "model.ff_width=24", "optimizer.name=sgd", "optimizer.name=adam", "schedule.name=constant",
            "math.gemm=reference", "model.dropout=0"]


def run_all(out):
    """Every setting on the program in TRIREME; the folders of the runs below `out`."""
    import gnn_cases
    from graphs import layout_configs
    from harness import MPI_FLAGS, MPIEXEC, PROGRAM, SMALL, finish, good, small_setup, train

    text = small_setup(out, text=SMALL.replace("size: 10, blocks: 7", "size: 11, blocks: 8")
                       .replace("width: 32", "width: 48"))
    for name, ranks, threads, keys in TEXT + [(f"text-{v}", 2, 1, [v]) for v in VARIANTS]:
        sets = [word for key in keys for word in ("--set", key)]
        good(train(text, f"{out}/{name}", *sets, ranks=ranks, threads=threads), name)
    for name, path in layout_configs(out).items():
        for ranks in (1, 3):
            good(train(path, f"{out}/graph-{name}-{ranks}x1", ranks=ranks), name)
    data = gnn_cases.prepare(PROGRAM, tempfile.mkdtemp(dir=out))
    for name in gnn_cases.CASES:
        gnn_cases.train([MPIEXEC, *MPI_FLAGS, "-n", "1"], PROGRAM, out, data, name, f"golden-{name}")
    decoder = f"{out}/decoder.h5"
    subprocess.run([PROGRAM, *"prepare synth --tokens 5000 --vocab 29 --seed 5 -o".split(), decoder],
                   check=True, capture_output=True)
    good(train(os.path.join(HERE, "golden", "decoder.yaml"), f"{out}/golden-decoder", "--set",
               f"data.path={decoder}", ranks=3), "golden-decoder")
    finish()


def build(commit, folder):
    """The program of a commit, None: of the tree as it is."""
    tree = SOURCE
    if commit:
        tree = os.path.join(folder, "tree")
        subprocess.run(["git", "-C", SOURCE, "worktree", "add", "--detach", tree, commit], check=True,
                       capture_output=True)
    to = os.path.join(folder, "build")
    subprocess.run(["cmake", "-S", tree, "-B", to, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release"], check=True,
                   capture_output=True)
    start = time.time()
    subprocess.run(["cmake", "--build", to, "--target", "trireme-program"], check=True, capture_output=True)
    program = os.path.join(to, "trireme")
    print(f"{commit or 'this tree'}: built in {time.time() - start:.1f} s, "
          f"the program has {os.path.getsize(program):,} bytes", flush=True)
    return program


def hashes(folder):
    found = {}
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name, "hashes.csv")
        if os.path.exists(path):
            with open(path) as file:
                found[name] = file.read().split("\n")
    return found


def compare(old, new):
    if sorted(old) != sorted(new):
        print("settings that ran on one of them alone:", *sorted(set(old) ^ set(new)))
    different = 0
    for name in sorted(set(old) & set(new)):
        steps = max(len(old[name]), len(new[name])) - 2
        parts = [i for i, (a, b) in enumerate(zip(old[name], new[name])) if a != b]
        same = old[name] == new[name]
        different += not same
        where = "" if same else f", DIFFERENT from step {old[name][parts[0]].split(',')[0]}" if parts else ", LENGTHS"
        print(f"{name}: {steps} steps{where}")
    print(f"{len(set(old) & set(new))} settings, {different} differ")
    return bool(old) and different == 0 and sorted(old) == sorted(new)


def main(arguments):
    if arguments and arguments[0] == "--run":
        run_all(arguments[1])
        return 0
    if not 1 <= len(arguments) <= 2:
        print(__doc__.strip(), file=sys.stderr)
        return 64
    work = tempfile.mkdtemp(prefix="trireme-builds-")
    found = []
    try:
        for side, commit in (("old", arguments[0]), ("new", (arguments[1:] or [None])[0])):
            folder, out = os.path.join(work, side), os.path.join(work, side, "runs")
            os.makedirs(out)
            env = {**os.environ, "TRIREME": build(commit, folder), "OMPI_ALLOW_RUN_AS_ROOT": "1",
                   "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
            subprocess.run([sys.executable, os.path.abspath(__file__), "--run", out], env=env, check=True)
            found.append(hashes(out))
    finally:
        for side in ("old", "new"):
            tree = os.path.join(work, side, "tree")
            if os.path.isdir(tree):
                subprocess.run(["git", "-C", SOURCE, "worktree", "remove", "--force", tree], check=False)
        shutil.rmtree(work, ignore_errors=True)
    return 0 if compare(*found) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
