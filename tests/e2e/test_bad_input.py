"""Every mistake gets one line that names the thing, and its exit code; on one rank and on two."""
import os

from harness import *

folder = temp_folder()
config = small_setup(folder)
data = os.path.join(folder, "data.h5")
serial = [0]


def path(name):
    return os.path.join(folder, name)


def write(name, content):
    with open(path(name), "wb") as file:
        file.write(content)
    return path(name)


def bad_train(code, parts, *more, ranks=(0, 2), config=config):
    for n in ranks:
        serial[0] += 1
        one_line(train(config, path(f"run{serial[0]}"), *more, ranks=n, timeout=60), code, *parts)


def bad(code, parts, *words):
    one_line(run(*words, timeout=60), code, *parts)


# Data files.
bad_train(74, ["nowhere.h5", "no such file"], "--set", "data.path=nowhere.h5")
bad_train(65, ["not.h5", "not an HDF5 file"], "--set", "data.path=" + write("not.h5", b"x" * 5000))
content = open(data, "rb").read()
bad_train(65, ["half.h5", "truncated"], "--set",
          "data.path=" + write("half.h5", content[:len(content) // 2]))
good(train(config, path("ok")), "a good run")
checkpoint = os.path.join(path("ok"), "checkpoints", checkpoints(path("ok"))[-1])
bad_train(65, ["kind is 'checkpoint', expected 'text'"], "--set", "data.path=" + checkpoint)
bad_train(74, ["folder"], "--set", "data.path=" + folder)
bad_train(65, ["context", "100000"], "--set", "model.context=100000", "--set", "data.path=" + data)

# Configuration.
bad_train(78, ["unknown key 'optimizer.lrr'", "optimizer.lr"], "--set", "optimizer.lrr=1")
bad_train(78, ["optimizer.lr", "-1"], "--set", "optimizer.lr=-1")
bad_train(78, ["train.steps", "many"], "--set", "train.steps=many")
bad_train(78, ["model.width", "model.heads"], "--set", "model.heads=3")
bad_train(78, ["batch.blocks", "batch.size"], "--set", "batch.blocks=11")
bad_train(78, ["3 ranks", "batch.blocks"], "--set", "batch.blocks=2", ranks=(3,))
bad_train(78, ["none.yaml"], config=path("none.yaml"))
typo = write("typo.yaml", b"data: {path: x}\nmodel:\n  layerz: 3\n")
bad_train(78, ["typo.yaml:3", "model.layerz", "model.layers"], config=typo)
bad_train(78, ["data.path"], config=write("empty.yaml", b""))

# Prepare.
bad(65, ["empty"], "prepare", "text", write("empty.txt", b""), "-o", path("o.h5"))
bad(74, ["gone.txt"], "prepare", "text", path("gone.txt"), "-o", path("o.h5"))
bad(65, ["latin.txt", "UTF-8"], "prepare", "text", write("latin.txt", b"abc \xe9t\xe9 " * 9), "-o",
    path("o.h5"))
bad(64, ["no kind 'texts'"], "prepare", "texts", "x", "-o", path("o.h5"))
bad(64, ["-o"], "prepare", "text", "x")
check(not os.path.exists(path("o.h5")), "no output after a failure")

# The command line.
bad(64, ["no command 'trian'", "train"], "trian")
bad(64, ["--sett", "--set"], "train", config, "--sett", "a=b")
bad(64, ["--tokens", "x"], "generate", path("ok"), "--tokens", "x")

# Checkpoints.
bad_train(78, ["model.width", "32", "--allow-changes"], f"--resume={checkpoint}", "--set",
          "model.width=16")
bad_train(65, ["not a checkpoint"], f"--resume={data}")
other = path("other.h5")
good(run("prepare", "synth", "--tokens", 5000, "--vocab", 19, "-o", other), "other data")
bad_train(78, ["vocabulary"], f"--resume={checkpoint}", "--set", f"data.path={other}")
different = path("different.h5")
good(run("prepare", "synth", "--tokens", 6000, "--vocab", 17, "--seed", 2, "-o", different), "data")
bad_train(78, ["not the data set"], f"--resume={checkpoint}", "--set", f"data.path={different}")
bad(74, ["nothing-here"], "generate", path("nothing-here"))
bad(65, ["character"], "generate", path("ok"), "--prompt", "\u20ac")

# A run directory that cannot be made.
one_line(train(config, "/proc/nowhere/run", ranks=2), 74, "/proc/nowhere")
one_line(train(config, os.path.join(config, "run"), ranks=0), 74, "small.yaml")

# Loss that turns NaN: says where, keeps the last good checkpoint, which resumes.
wild = ["--set", "optimizer.lr=1e30", "--set", "optimizer.clip_norm=0", "--set",
        "optimizer.name=sgd", "--set", "schedule.warmup_steps=0"]
for n in (0, 2):
    run_dir = path(f"nan{n}")
    result = train(config, run_dir, *wild, ranks=n)
    equal(result.code, 76, f"exit code when training diverges\n{result.err}")
    last = result.lines()[-1]
    check("step " in last and "gradient" in last and "checkpoint of step 0 is good" in last, last)
    check(any(name in last for name in ("weight", "bias")), f"names a parameter: {last}")
    good(train(config, run_dir + "-again", "--resume=" + os.path.join(run_dir, "checkpoints",
               "step_00000000.h5"), "--allow-changes", "--set", "optimizer.name=sgd", ranks=n), "resume after divergence")
finish()
