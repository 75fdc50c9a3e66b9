"""Words of other programs lead to ours; paths with ~ and $VAR; all errors of a configuration at once, with
their places; help for a group and for a key."""
from harness import *

folder = temp_folder()
data = f"{folder}/data.h5"
good(run("prepare", "synth", "--tokens", 4000, "--vocab", 9, "-o", data), "prepare")
BASE = "data: {path: %s}\nmodel: {layers: 1, heads: 2, width: 8, context: 8}\ntrain: {steps: 2}\n" % data


def write(text, name="c.yaml"):
    with open(f"{folder}/{name}", "w") as file:
        file.write(text)
    return f"{folder}/{name}"


def check_config(text, *more, **how):
    """A line or more, on the data unless these are named."""
    if "data:" not in text and "data." not in text:
        text += "\ndata: {path: %s}\n" % data
    return run("train", write(text), "--check", *more, **how)


# ---- names and values of others, as keys, as options, as words
for line, ours in (("learning_rate: 3", "optimizer.lr"), ("train: {batch_size: 3}", "batch.size"),
                   ("train:\n  max_steps: 3", "train.steps"), ("model: {block_size: 3}", "model.context"),
                   ("model: {n_layer: 3}", "model.layers"), ("hidden_size: 3", "model.width"),
                   ("model: {num_attention_heads: 3}", "model.heads"), ("epochs: 3", "train.epochs"),
                   ("optimizer: {grad-clip: 1}", "optimizer.clip_norm"), ("warmup_ratio: 0.1", "schedule.warmup_share"),
                   ("early_stopping: 3", "train.patience_evals"), ("save_total_limit: 3", "checkpoint.keep")):
    one_line(check_config(line), 78, "c.yaml:", f"here it is '{ours}'")
for line, part in (("device: cuda", "mpirun -n"), ("train: {num_workers: 2}", "read ahead"),
                   ("model: {vocab_size: 3}", "the data set's"), ("resume: true", "--resume")):
    one_line(check_config(line), 78, "there is none here", part)
# Several programs' words in one file, told at once.
MANY = (("learner: adam", "optimizer.name"), ("stopping_step: 3", "train.patience_evals"), ("topk: 10", "eval.top_k"),
        ("train_micro_batch_size_per_gpu: 4", "batch.size': it counts the whole step"), ("save_top_k: 3", "checkpoint.keep_best"),
        ("restore_best_weights: true", "train.restore_best"), ("num_hidden: 8", "model.width"), ("schedule: {T_max: 3}", "schedule.decay_steps"),
        ("do_train: true", "trireme train, evaluate, predict"), ("validation_split: 0.1", "trireme prepare --valid-share"),
        ("zero_optimization: {stage: 2}", "optimizer.sharded"), ("callbacks: [x]", "train.patience_evals"), ("evaluation_strategy: steps", "eval.every"))
told = check_config("\n".join(line for line, _ in MANY))
equal((told.code, len(told.lines())), (78, len(MANY)), f"a line each: {told.err}")
for line, (text, part) in zip(told.lines(), MANY):
    check(part in line, f"{text}: {part!r} in {line!r}")
for line, part in (("model: {kind: gpt}", "which is decoder here"), ("model: {kind: GraphSAGE}", "which is sage here"),
                   ("optimizer: {name: adamw_torch}", "which is adamw here"),
                   ("schedule: {name: OneCycleLR}", "which is 1cycle here")):
    one_line(check_config(line), 78, part)
# Groups with a value, in other letters, from other files; a decimal comma.
for line, part in (("model: gcn", "write 'kind: gcn' below it"), ("MODEL: {layers: 1}", "did you mean 'model'"),
                   ("optimizer: adam", "write 'name: adam' below it"), ("optimizer: {lr: 1,5e-3}", "1.5, not 1,5"),
                   ("defaults: [base]", "a file holds all"), ("hyperparameters: {lr: 1}", "groups of their own")):
    one_line(check_config(line), 78, "c.yaml:1: ", part)
config = write(BASE)
for words, part in ((["--lr", "3"], "--set optimizer.lr=3"), (["--lr=3"], "--set optimizer.lr=3"), (["--lr"], "--set optimizer.lr=VALUE"),
                    (["--learning-rate", "3"], "--set optimizer.lr=3"), (["--epochs=2"], "--set train.epochs=2"),
                    (["--data", data], f"--set data.path={data}"), (["--eval-every", "3"], "--set eval.every=3"),
                    (["--steps", "3"], "--set train.steps=3"), (["--model", "gcn"], "--set model.kind=gcn"),
                    (["--run-dir", "x"], "--set run.dir=x"), (["--device", "cpu"], "processors are all there is"),
                    (["--output_dir", "x"], "--set run.dir=x"), (["-lr", "3"], "--set optimizer.lr=3"),
                    (["--thr", "2"], "did you mean '--threads'"),
                    (["--optimizer.lr=3"], "--set optimizer.lr=3"), (["optimizer.lr=3"], "--set optimizer.lr=3"),
                    (["lr=3"], "--set optimizer.lr=3"), (["batch_size=3"], "--set batch.size=3")):
    one_line(run("train", config, *words), 64, part)
one_line(run("find-lr", config, "--batch-size=3"), 64, "--set batch.size=3")
for words, part in ((["evaluate", "x", "--beam", "3"], "--set eval.beam=3"), (["evaluate", "x", "--split", "0"], "see trireme evaluate --help"),
                    (["translate", "x", "--beam-size", "3"], "did you mean '--beam'"), (["generate", "x", "--max_new_tokens", "3"], "'--tokens'"),
                    (["fit", config], "did you mean 'train'"), (["eval", "x"], "did you mean 'evaluate'")):
    one_line(run(*words), 64, part)

# ---- -o of the commands that train is run.dir
for words in ((), ("--check",), ("--where",)):
    result = run("train", config, "-o", f"{folder}/by-o", *words)
    good(result, f"train -o {words}")
    check("--where" not in words or f"run: {folder}/by-o" in result.out, result.out)
    if not words:
        check(os.path.isdir(f"{folder}/by-o/checkpoints"), "train -o names the run's folder")
        shutil.rmtree(f"{folder}/by-o")
good(run("sweep", config, "--seeds", "0-1", "-o", f"{folder}/swept"), "sweep -o")
check(os.path.exists(f"{folder}/swept/sweep.csv"), "sweep -o names the folder of the runs")
one_line(run("train", config, "-o", "a", "--set", "run.dir=b"), 64, "-o a and --set run.dir=b are the same key")

# ---- paths
os.environ["TRM_TEST_DATA"] = folder
os.environ["HOME"] = folder
for place in ("~/data.h5", "$TRM_TEST_DATA/data.h5", "${TRM_TEST_DATA}/data.h5"):
    shown = check_config("data: {path: '%s'}\nrun: {dir: $TRM_TEST_DATA/r}\n" % place)
    good(shown, place)
    check(f"path: {data}" in shown.out and f"dir: {folder}/r" in shown.out, shown.out)
    good(run("train", write(BASE), "--check", "--set", f"data.path={place}"), f"--set {place}")
one_line(check_config("data: {path: $TRM_TEST_NONE/x}"), 78, "c.yaml:1", "the environment has no '$TRM_TEST_NONE'")

# ---- anchors and merges; all errors, once each, also those of --set
good(check_config("x-m: &m {layers: 1, heads: 2, width: 8}\nmodel: {<<: *m, context: 8}\ndata: {path: %s}\n" % data), "<<")
wrong = run("train", write("data: {path: x}\nmodel:\n  widht: 8\n  heads: none\n  activation: relux\nbatch: {size: 0}\n"
                           "optimizer: {momentum: 0.5}\n"), "--set", "train.step=3", ranks=2)
equal(wrong.code, 78, "several errors")
equal([re.sub(r"^error: (rank 0 \(\S+\): )?(\S+) .*", r"\2", line) for line in wrong.lines()],
      [f"{folder}/c.yaml:{n}:" for n in (3, 4, 5, 6)] + ["--set:", f"{folder}/c.yaml:7:"], f"a line each: {wrong.err}")
equal(len(check_config("model: {kin: gcn, jumping: max}\n").lines()), 1, "nothing is said of what hangs on a slip")
one_line(run("train", f"{folder}/none.yaml"), 66, "none.yaml")

# ---- relations have a place
one_line(check_config(BASE.replace("heads: 2", "heads: 3")), 78, "c.yaml:2: model.width is 8")
one_line(check_config(BASE + "batch: {size: 100000}\n"), 78, "c.yaml:4: batch.size is 100000", "an epoch")
one_line(check_config(BASE + "\nschedule: {name: plateau}\neval: {every: 0}\n"), 78, "c.yaml:5: schedule.name is plateau")

# ---- help
for words, there, missing in ((["optimizer"], "optimizer.lr", "model.width"), (["config", "model"], "model.width", "train.steps"),
                              (["config", "optimizer.lr"], "optimizer.lr", "optimizer.eps"),
                              (["optimizer.lr"], "optimizer.lr", "optimizer.eps"),
                              (["config", "block_size"], "model.context", "model.width")):
    result = run("help", *words)
    good(result, f"help {words}")
    check(there in result.out and missing not in result.out, f"help {words}: {result.out}")
one_line(run("help", "config", "optimizer.lrr"), 64, "optimizer.lr")
one_line(run("help", "trian"), 64, "train")

finish()
