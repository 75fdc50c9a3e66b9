"""Every mistake gets one line that names the thing, and its exit code; on one rank and on two."""
import os
import re

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
        later(lambda result: one_line(result, code, *parts), train, config, path(f"run{serial[0]}"), *more, ranks=n,
              timeout=60)


def bad(code, parts, *words, ranks=0):
    later(lambda result: one_line(result, code, *parts), run, *words, ranks=ranks, timeout=60)


# Data files.
bad_train(66, ["nowhere.h5", "no such file"], "--set", "data.path=nowhere.h5")
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
bad_train(66, ["none.yaml"], config=path("none.yaml"))
typo = write("typo.yaml", b"data: {path: x}\nmodel:\n  layerz: 3\n")
bad_train(78, ["typo.yaml:3", "model.layerz", "model.layers"], config=typo)
bad_train(78, ["data.path"], config=write("empty.yaml", b""))

# train --check refuses what train refuses, once, and in the same words.
def both(number, *more, ranks):
    return [train(config, path(f"{kind}{number}"), *more, *flag, ranks=ranks, timeout=60)
            for kind, flag in (("run", []), ("check", ["--check"]))]


def bad_check(*more, ranks=(0, 2)):
    for n in ranks:
        serial[0] += 1

        def judge(results, n=n, number=serial[0]):
            want, got = results
            check(want.code != 0, f"train takes {more}")
            one_line(got, want.code)
            message = [re.sub(r"rank 0 \(\S+\): | \(\d ranks failed\)", "", r.err) for r in (got, want)]
            equal((got.out, message[0]), ("", message[1]), f"--check {more} on {n}")
            check(not os.path.exists(path(f"check{number}")), "--check makes no folder")

        later(judge, both, serial[0], *more, ranks=n)


bad_check("--set", "model.width=15", "--set", "data.path=/nope")
bad_check("--set", "model.heads=3")
bad_check("--set", "model.context=100000")
bad_check("--set", "batch.blocks=11")
bad_check("--set", "batch.blocks=2", ranks=(3,))
bad_check("--set", "train.steps=many")
one_line(train(config, path("ok"), "--check"), 78, "already holds a run", "--resume")
check(": -o: " in run("train", config, "-o", path("ok"), "--check", ranks=2).err, "where the folder was given, behind the rank")
result = train(config, path("ok"), "--check", "--resume", ranks=2)
good(result, "--check --resume of a run")
check(f"# goes on from {checkpoint} at step " in result.out, result.out)
one_line(train(config, path("ok"), "--check", "--resume", "--set", "optimizer.lr=0.005"), 78,
         "optimizer.lr is 0.005", checkpoint, "--allow-changes")
result = train(config, path("ok"), "--check", "--resume", "--allow-changes", "--set", "optimizer.lr=0.005")
good(result, "--check --resume --allow-changes")
check("warning: optimizer.lr is 0.005, the checkpoint was made with" in result.err, result.err)
good(train(config, path("none"), "--check", "--resume"), "--check --resume of a run that is still to begin")
bad_check(f"--resume={checkpoint}", "--set", "model.width=16", ranks=(2,))
bad_check(f"--resume={checkpoint}", "--set", "train.steps=1", ranks=(0,))
bad_check(f"--resume={data}", ranks=(0,))

# Prepare.
bad(65, ["empty"], "prepare", "text", write("empty.txt", b""), "-o", path("o.h5"))
bad(66, ["gone.txt"], "prepare", "text", path("gone.txt"), "-o", path("o.h5"))
bad(65, ["latin.txt", "UTF-8"], "prepare", "text", write("latin.txt", b"abc \xe9t\xe9 " * 9), "-o",
    path("o.h5"))
bad(64, ["no kind 'texts'"], "prepare", "texts", "x", "-o", path("o.h5"))
bad(64, ["-o"], "prepare", "text", "x")
for words, part in (("synth extra words", "'extra'"), ("debian extra", "'extra'"),
                    ("synth --valid-share 0.5", "--valid-share"), ("synth --unit byte", "--unit"),
                    ("synth --index x", "--index"), ("debian --seed 3", "--seed"),
                    (f"text {config} --tokens 9", "--tokens"), ("text", "files"),
                    (f"text {config} --vocab 9", "--vocab")):
    kind = words.split()[0]
    bad(64, [f"prepare {kind}", part], "prepare", *words.split(), "-o", path("o.h5"))
settle()
check(not os.path.exists(path("o.h5")), "no output after a failure")

# The command line.
bad(64, ["no command 'trian'", "train"], "trian")
bad(64, ["--sett", "--set"], "train", config, "--sett", "a=b")
bad(64, ["--tokens", "x"], "generate", path("ok"), "--tokens", "x")
bad(64, [f"--resume={checkpoint}"], "train", config, "--resume", checkpoint)
bad(64, [f"--resume={checkpoint}"], "train", "--resume", checkpoint, config)
bad(64, ["one configuration file (2 given)"], "train", config, config)
for name in ("doctor", "version"):
    bad(64, [name, "'junk'"], name, "junk")
bad(64, ["one command (2 given)"], "help", "train", "junk")
bad(64, ["no command 'hlep'", "help"], "help", "hlep")

# One line from several ranks too: commands of one process, and what fails before MPI has started.
for words, part in ((["generate", path("ok")], "one process"), (["inspect", data], "one process"),
                    (["prepare", "synth", "-o", path("o.h5")], "one process"),
                    (["generate", "--tokenz"], "--tokens"), (["version", "junk"], "junk"),
                    (["trian"], "train"), (["doctor", "--thread"], "--threads"),
                    (["evaluate", "--threads", "0"], "--threads"), (["evaluate"], "0 given"),
                    (["verify"], "0 given"), (["bisect", "x"], "1 given")):
    bad(64, [part], *words, ranks=3)
settle()

# The first failure is the one that is printed: a bad option, not that MPI sees one rank of two.
os.environ.update(SLURM_STEP_NUM_TASKS="2", SLURM_PROCID="0")
bad(78, ["2 tasks"], "evaluate", path("ok"))
bad(64, ["--thread"], "doctor", "--thread", "2")
bad(64, ["--bst"], "evaluate", "--bst", path("ok"))
settle()
for name in ("SLURM_STEP_NUM_TASKS", "SLURM_PROCID"):
    del os.environ[name]

# Checkpoints.
bad_train(78, ["model.width", "32", "set it back"], f"--resume={checkpoint}", "--set",
          "model.width=16")
bad_train(78, ["optimizer.lr", "--allow-changes"], f"--resume={checkpoint}", "--set",
          "optimizer.lr=0.005")
bad_train(65, ["not a checkpoint"], f"--resume={data}")
other = path("other.h5")
good(run("prepare", "synth", "--tokens", 5000, "--vocab", 19, "-o", other), "other data")
bad_train(78, ["vocabulary"], f"--resume={checkpoint}", "--set", f"data.path={other}")
different = path("different.h5")
good(run("prepare", "synth", "--tokens", 6000, "--vocab", 17, "--seed", 2, "-o", different), "data")
bad_train(78, ["not the data set"], f"--resume={checkpoint}", "--set", f"data.path={different}")
bad(66, ["nothing-here"], "generate", path("nothing-here"))
bad(65, ["character"], "generate", path("ok"), "--prompt", "\u20ac")

# A run directory that cannot be made.
one_line(train(config, "/proc/nowhere/run", ranks=2), 66, "/proc/nowhere")
one_line(train(config, os.path.join(config, "run"), ranks=0), 74, "small.yaml")

# Loss that turns NaN: says where, keeps the last good checkpoint, which resumes.
wild = ["--set", "optimizer.lr=1e30", "--set", "optimizer.clip_norm=0", "--set",
        "optimizer.name=sgd", "--set", "schedule.warmup_steps=0"]
settle()
for n in (0, 2):
    run_dir = path(f"nan{n}")
    result = train(config, run_dir, *wild, ranks=n)
    equal(result.code, 76, f"exit code when training diverges\n{result.err}")
    last = result.lines()[-1]
    check("step " in last and "gradient" in last and "newest checkpoint is of step 0" in last, last)
    check(any(name in last for name in ("weight", "bias")), f"names a parameter: {last}")
    good(train(config, run_dir + "-again", "--resume=" + os.path.join(run_dir, "checkpoints",
               "step_00000000.h5"), "--allow-changes", "--set", "optimizer.name=sgd", ranks=n), "resume after divergence")
finish()
