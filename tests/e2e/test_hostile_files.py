"""Files in which bytes were changed or are missing, of every kind: what reads them ends in order, within
bounded time and memory, and where it refuses them it does so with an exit code and one line that names the file."""
import os
import random
import resource
import subprocess

import graphs
from sequences import ENCODER, classes, config, reversal
from values import *

MOST_MEMORY = 3 << 30
SEAL_BYTES = 32  # behind the end: a digest of all before it (data/FORMAT.md); files of strangers have none
REFUSED = 65
N_CHANGED, N_CUT = 13, 4
folder = temp_folder()
limited = not sanitized()  # a sanitizer's shadow takes terabytes of addresses


def bounded():
    if limited:
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))


def bounded_run(*words):
    env = dict(environment(), OMP_THREAD_LIMIT="1")
    done = subprocess.run(command(words, 0), env=env, timeout=60, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=bounded)
    return Result(done.returncode, *(text.decode(errors="replace") for text in (done.stdout, done.stderr)))


def damaged(content, seed):
    """Copies of the bytes with something changed in each: (what was done, bytes)."""
    r = random.Random(seed)
    bare = content[:-SEAL_BYTES]
    yield "without its seal", bare
    for i in range(N_CHANGED):
        at, n = r.randrange(len(bare)), r.choice((1, 2, 4, 8, 64))
        new = r.choice((b"\xff", b"\0", b"\x7f", bytes([r.randrange(256)]))) * n
        changed = (bare[:at] + new + bare[at + n:])[:len(bare)]
        # A digest tells most changes; without one the readers have to.
        yield f"{n} bytes at {at} made {new[0]}", changed if i % 4 else changed + content[-SEAL_BYTES:]
    for _ in range(N_CUT):
        at = r.randrange(len(content))
        yield f"cut to {at} bytes", content[:at]


n_refused = 0


def judged(name, what, words):
    def judge(result):
        global n_refused
        doing = f"{name} {what}: {' '.join(map(str, words[:2]))}"
        if check(result.code in (0, REFUSED), f"{doing}: exit code {result.code}\n{result.err}") and result.code:
            n_refused += 1
            one_line(result, REFUSED, name)
    return judge


def hostile(name, path, seed, *ways):
    """ways: words of commands that read a file, whose place is %s; they take turns."""
    with open(path, "rb") as file:
        content = file.read()
    for i, (what, changed) in enumerate(damaged(content, seed)):
        copy = f"{folder}/{name}-{i}.h5"
        with open(copy, "wb") as file:
            file.write(changed)
        words = [word % copy if "%s" in str(word) else word for word in ways[i % len(ways)]]
        later(judged(os.path.basename(copy), what, words), bounded_run, *words)
    settle()


def data_set(name, path, config_path, seed):
    hostile(name, path, seed, ("inspect", "%s"),
            ("train", config_path, "--set", "data.path=%s", "--set", f"run.dir={folder}/none", "--check"))


TABLE, IMAGES, SENTENCES, PAIRS = table(folder, "kind"), images(folder), classes(folder), reversal(folder)
BATCH = "\nbatch: {size: 23, blocks: 7}"
TABLE_CONFIG = config(f"{folder}/table.yaml", TABLE, "model: {kind: mlp, widths: '9'}" + BATCH)
NODES = graphs.prepare("graph", graphs.nodes_folder(f"{folder}/nodes"))
SETS = graphs.prepare("graphs", graphs.set_folder(f"{folder}/sets"))
LIKES = graphs.prepare("interactions", graphs.pairs_folder(f"{folder}/likes"))
TEXT_CONFIG = small_setup(folder)

data_set("text", f"{folder}/data.h5", TEXT_CONFIG, 1)
data_set("table", TABLE, TABLE_CONFIG, 2)
data_set("images", IMAGES, config(f"{folder}/images.yaml", IMAGES, "model: {kind: mlp, widths: '9'}" + BATCH), 3)
data_set("sentences", SENTENCES, config(f"{folder}/sentences.yaml", SENTENCES, f"model: {{{ENCODER}}}" + BATCH), 4)
data_set("pairs", PAIRS, config(f"{folder}/pairs.yaml", PAIRS,
                                "model: {kind: seq2seq, layers: 1, heads: 2, width: 18, context: 12}" + BATCH), 5)
data_set("nodes", NODES, graphs.config(f"{folder}/nodes.yaml", NODES, graphs.LAYOUT_CASES["gcn"][1]), 6)
data_set("sets", SETS, graphs.config(f"{folder}/sets.yaml", SETS, graphs.LAYOUT_CASES["gin-set"][1]), 7)
data_set("likes", LIKES, graphs.config(f"{folder}/likes.yaml", LIKES, graphs.LAYOUT_CASES["lightgcn"][1]), 8)

# Checkpoints: what goes on from one, and what reads its weights.
good(train(TABLE_CONFIG, f"{folder}/run"), "a run on a table")
newest = f"{folder}/run/checkpoints/{checkpoints(f'{folder}/run')[-1]}"
hostile("checkpoint", newest, 9, ("inspect", "%s"), ("evaluate", "%s", "--data", TABLE),
        ("train", TABLE_CONFIG, "--set", f"run.dir={folder}/none", "--check", "--resume=%s"))
check(n_refused > 60, f"most of what is damaged is refused: {n_refused}")
check(not os.path.exists(f"{folder}/none"), "--check makes no folder")
finish()
