"""Runs on images and rows with keys or data that do not suit each other: one line each, naming the key."""
import itertools
import os

from sequences import labelled, moods
from values import *

folder = temp_folder()
DATA = {"bars": images(folder, n=120), "kind": table(folder, "kind", n=120), "price": table(folder, "price", n=120),
        "tags": table(folder, "tags", n=120)}
DATA["words"] = labelled(folder, "words", moods(60))
DATA["unvalidated"] = table(folder, "kind", "unvalidated", n=120, more=("--valid-share", "0"))


serial = itertools.count()


def start_run(name, run_dir, body, *more, augment=""):
    path = config(f"{run_dir}.yaml", f"{DATA[name]}, augment: '{augment}'", body, 4, 2)
    return train(path, run_dir, *more)


def bad(part, name, body, *more, **how):
    run_dir = f"{folder}/bad{next(serial)}"

    def judge(result):
        one_line(result, 78, part)
        check(not os.path.exists(run_dir), f"no run of {name}, {body}")

    later(judge, start_run, name, run_dir, body, *more, **how)


# ---- a model on inputs that it does not read
MLP, CNN = "model: {kind: mlp}\n", "model: {kind: cnn}\n"
bad("model.kind is 'cnn', which works on images, but the inputs of the data set are rows of a table", "kind", CNN)
bad("model.kind is 'resnet', but the inputs of", "words", "model: {kind: resnet}")
bad("model.kind is 'encoder', but the inputs of", "bars", "model: {kind: encoder}")

# ---- lists of sizes
bad("model.channels has a stage 4, but images of 12 x 12 pixels are used up before its pool", "bars",
    "model: {kind: cnn, channels: '4,4,4,4'}")
bad("model.channels has a stage 2, but images of 12 x 12", "bars",
    "model: {kind: cnn, channels: '4,4', padding: valid, kernel: 5, convs: 2}")
for widths in ("4,x", "4,0", "", "4,,5", "-4", "4.5", "9" * 30):
    bad(f"model.widths is '{widths}', expected whole numbers from 1 to", "bars", f"model: {{kind: mlp, widths: '{widths}'}}")
    bad(f"model.channels is '{widths}', expected whole numbers from 1 to", "bars",
        f"model: {{kind: cnn, channels: '{widths}'}}")

# ---- augmentation
for augment, part in (("mask 0.1", "'mask' is not for images"), ("crpo 3", "there is no 'crpo'"),
                      ("crop 3,, flip", "an operation is missing beside a comma"),
                      ("crop x", "N is 'x'; allowed: a whole number"), ("mixup 1, mixup 1", "samples are mixed once")):
    bad(part, "bars", MLP, augment=augment)
    bad("data.augment: '" + augment.split(",")[0].split(" ")[0], "bars", MLP, augment=augment)
bad("data.augment: 'flip': 'flip' is not for rows of a table", "kind", MLP, augment="flip")
bad("data.augment: 'flip': 'flip' is not for sequences of tokens", "words", "model: {kind: encoder}", augment="flip")

# ---- batches and losses
bad("batch.tokens is 100, but the inputs of", "bars", CNN + "batch: {tokens: 100}")
bad("batch.tokens is 100, but the inputs of", "kind", MLP + "batch: {tokens: 100}")
bad("batch.size is 1000, but", "kind", MLP + "batch: {size: 1000}")
SMALL = "batch: {size: 8}\n"
bad("loss.label_smoothing is 0.1, but the targets of", "price", MLP + SMALL + "loss: {label_smoothing: 0.1}")
bad("loss.label_smoothing is 0.1, but the targets of", "tags", MLP + SMALL + "loss: {label_smoothing: 0.1}")
bad("loss.class_weights is 'balanced', but the targets of", "tags", MLP + SMALL + "loss: {class_weights: balanced}")
bad("loss.class_weights is 'balanced', but the targets of", "price", MLP + SMALL + "loss: {class_weights: balanced}")
bad("loss.numbers is 'huber', but the targets of", "kind", MLP + SMALL + "loss: {numbers: huber}")
bad("eval.select is 'accuracy'", "price", MLP + SMALL, "--set", "eval.select=accuracy")
bad("eval.select is 'mcc'", "tags", MLP + SMALL, "--set", "eval.select=mcc")

# ---- parts that are empty, columns without news in the part to train on, large numbers
bad("train.patience is set, but data.split 0 of", "unvalidated", MLP + SMALL, "--set", "train.patience=2")
bad("train.patience_evals is set, but", "unvalidated", MLP + SMALL, "--set", "train.patience_evals=2", "--set",
    "eval.every=2")
bad("schedule.name plateau is set, but", "unvalidated", MLP + SMALL, "--set", "schedule.name=plateau", "--set",
    "eval.every=2")
result = start_run("unvalidated", f"{folder}/run", MLP + SMALL)
good(result, "without a part to validate with")
check("data.split 0 has no sample to validate with" in result.err, result.err)
test = write(f"{folder}/test.csv", "a,b,y\n1,5,1e36\n3,-4e-36,-2\n")
for name, text in (("constant", "".join(f"{i},2,{i}\n" for i in range(20))),
                   ("large", "".join(f"{i * 1e37},{i * 1e-37},{(-1) ** i * 3e38}\n" for i in range(20)))):
    rows_ = write(f"{folder}/{name}.csv", "a,b,y\n" + text)
    data = prepare(folder, name, "table", rows_, "--target", "y", "--target-kind", "number", "--test", test,
                   "--valid-share", "0.2")
    path = config(f"{folder}/{name}.yaml", data, MLP + SMALL, 4, 2)
    good(train(path, f"{folder}/run-{name}", ranks=2), f"{name} numbers")
    check(all(float(row[key]) == float(row[key]) for row in scores(f"{folder}/run-{name}")
              for key in ("valid_loss", "valid_rmse", "test_mae")), f"{name}: {scores(f'{folder}/run-{name}')}")
one_line(run("prepare", "table", write(f"{folder}/z.csv", "a,k\n1,x\n2,y\n"), "--target", "k", "--test",
             write(f"{folder}/new.csv", "a,k\n1,z\n"), "-o", f"{folder}/z.h5", "--valid-share", "0"), 65,
         "new.csv:2: class 'z' is in the test part, but no sample to train on has it")

# ---- one sample
alone = images(folder, "alone", n=1, more=("--valid-share", "0"))
path = config(f"{folder}/alone.yaml", alone, "model: {kind: cnn, channels: '4', norm: none}\nbatch: {size: 1}", 2, 2)
good(train(path, f"{folder}/run-alone"), "one image")
finish()
