"""Runs that begin with the weights of another one: what is taken, what is new, what is left, and what does not
fit; and runs that go on for longer than their configuration says."""
import os
import shutil

from sequences import *
from values import COLOURS, TARGETS, prepare as prepare_values, table_rows

folder = temp_folder()
source_data = classes(folder)
ENCODER_OF = "kind: encoder, layers: %d, heads: 2, width: 18, context: 24, dropout: 0.1"


def settings(name, data, layers=2, steps=16):
    body = f"model: {{{ENCODER_OF % layers}}}\nbatch: {{size: 23, blocks: 7}}\n"
    return config(f"{folder}/{name}.yaml", data, body, steps=steps)


def keys(*assignments):
    return [word for assignment in assignments for word in ("--set", assignment)]


path = settings("source", source_data)
source = f"{folder}/source"
good(train(path, source), "the run to begin with")
STILL = keys("optimizer.lr=0", "optimizer.weight_decay=0", "train.steps=1", "eval.at_end=false", "run.seed=9")

# ---- everything: a step of length 0 leaves the bits of the source, on any ranks, from a run or a file
last = hashes(source)[16]
for i, (origin, ranks) in enumerate(((source, 0), (f"{source}/checkpoints/step_00000016.h5", 3))):
    result = train(path, f"{folder}/all-{i}", *STILL, *keys(f"train.init_from={origin}"), ranks=ranks)
    good(result, "taking everything")
    equal(hashes(f"{folder}/all-{i}")[1], last, "weights that were taken")
    check("29 parameters" in result.err and "step 16" in result.err, result.err)
    check("are new" not in result.err and "are left" not in result.err, result.err)
good(train(path, f"{folder}/fresh", *STILL), "another seed")
check(hashes(f"{folder}/fresh")[1] != last, "drawn weights are others")

# ---- fewer and more layers
result = train(settings("shallow", source_data, 1), f"{folder}/shallow", *STILL, *keys(f"train.init_from={source}"))
good(result, "fewer layers")
check("12 are left there: blocks/1/" in result.err, result.err)
result = train(settings("deep", source_data, 3), f"{folder}/deep", *STILL, *keys(f"train.init_from={source}"))
good(result, "more layers")
check("12 are new: blocks/2/" in result.err, result.err)

# ---- another task: the head is another, token vectors are the vocabulary's
marked = write(f"{folder}/marks.tsv", marks(240))
alike = labelled(folder, "alike", marks(240), "--real", "--test-share", "0.2", "--vocabulary", source_data)
unlike = labelled(folder, "unlike", marks(240), "--real", "--test-share", "0.2", "--min-count", 4)
path_alike, path_unlike = settings("alike", alike), settings("unlike", unlike)
begin = keys(f"train.init_from={source}")
one_line(train(path_alike, f"{folder}/x", *begin), 78, "head/bias has shape 1 here and 3 in ",
         'train.init_new: "head/*"')
one_line(train(path_alike, f"{folder}/x", "--check", *begin), 78, "head/bias has shape 1 here")
one_line(train(path_unlike, f"{folder}/x", *begin, *keys("train.init_new=head/*")), 78, "vocabulary", "--vocabulary",
         'train.init_new: "wte/*"')
one_line(train(path_alike, f"{folder}/x", *begin, *keys("train.init_new=heads/*")), 78,
         "'heads/*' matches no parameter", "head/weight")
one_line(train(path_alike, f"{folder}/x", *keys("train.init_new=head/*")), 78, "train.init_from, which is empty")
one_line(train(path_alike, f"{folder}/x", *keys(f"train.init_from={folder}/nowhere")), 66, "nowhere")
check(not os.path.exists(f"{folder}/x"), "no run directory is made for what does not fit")
good(train(path_unlike, f"{folder}/anew", *begin, *keys("train.init_new=head/*, wte/*")), "other tokens, made anew")

tuned = {}
for ranks in (1, 4):
    tuned[ranks] = f"{folder}/tuned-{ranks}"
    result = train(path_alike, tuned[ranks], *begin, *keys("train.init_new=head/*", "checkpoint.every=3",
                                                            "params.rules=wte/* freeze, head/* lr=5x"), ranks=ranks)
    good(result, "a new head")
    check("27 parameters" in result.err and "2 are new: head/weight, head/bias" in result.err, result.err)
equal(hashes(tuned[1]), hashes(tuned[4]), "a new head on 1 and 4 ranks")

# ---- a run that goes on has weights of its own, and the source may be gone
half = f"{folder}/half"
shutil.copytree(tuned[4], half)
for step in (12, 15, 16):
    for name in (f"step_{step:08d}.h5", "best.h5"):
        if os.path.exists(f"{half}/checkpoints/{name}"):
            os.remove(f"{half}/checkpoints/{name}")
os.rename(source, f"{source}-gone")
result = train(path_alike, half, *begin, *keys("train.init_new=head/*", "checkpoint.every=3",
                                               "params.rules=wte/* freeze, head/* lr=5x"), "--resume", ranks=2)
good(result, "resumed")
check("taken from" not in result.err and "resumed from" in result.err, result.err)
equal(hashes(half), hashes(tuned[1]), "resumed, without the source")
os.rename(f"{source}-gone", source)

# ---- tables: numbers of the first layer are those of columns and levels
def of_table(name, text, model="levels: one-hot"):
    rows = write(f"{folder}/{name}.csv", text)
    data = prepare_values(folder, name, "table", rows, *TARGETS["price"], "--test-share", "0.2")
    return config(f"{folder}/{name}.yaml", data, f"model: {{kind: mlp, widths: '8', {model}}}\n"
                  "batch: {size: 24, blocks: 4}\n", steps=2)


def swapped(text):
    return "\n".join(",".join([y, x] + rest) for x, y, *rest in (line.split(",") for line in text.splitlines())) + "\n"


whole = table_rows(240)
tables = keys(f"train.init_from={folder}/table")
good(train(of_table("rows", whole), f"{folder}/table"), "a table")
result = train(of_table("later", table_rows(200, seed=2)), f"{folder}/later", *tables)
good(result, "other rows of the same columns")
check("are new" not in result.err, result.err)
pink = [colour.replace("grey", "pink") for colour in COLOURS]
for name, text, what in (("swapped", swapped(whole), "columns of numbers"),
                         ("renamed", whole.replace("x,y,z", "x,y,w", 1), "columns of numbers"),
                         ("shops", whole.replace("shop,", "town,", 1), "columns of categories"),
                         ("levels", table_rows(240, colours=pink), "levels of categories"),
                         ("full", table_rows(240, gaps=0), "columns that miss values")):
    path_of = of_table(name, text)
    one_line(train(path_of, f"{folder}/x", *tables), 78, f"trained with other {what} than the data set has",
             "layers/0/weight", 'train.init_new: "layers/0/*"')
    good(train(path_of, f"{folder}/table-{name}", *tables, *keys("train.init_new=layers/0/weight")), f"{name}, made anew")
of_vectors = of_table("vectors", table_rows(240, colours=pink), "levels: embedded")
good(train(of_table("grey", whole, "levels: embedded"), f"{folder}/vectors"), "vectors of levels")
one_line(train(of_vectors, f"{folder}/x", *keys(f"train.init_from={folder}/vectors", "train.init_new=layers/0/*")), 78,
         "levels of categories", 'train.init_new: "levels/0/*"')
good(train(of_vectors, f"{folder}/anew-levels", *keys(f"train.init_from={folder}/vectors",
                                                      "train.init_new=layers/0/*, levels/*")), "vectors made anew")

# ---- nothing fits
pairs = reversal(folder)
other = config(f"{folder}/pairs.yaml", pairs, "model: {kind: seq2seq, layers: 1, heads: 2, width: 18, context: 12}\n"
               "batch: {size: 23, blocks: 7}\n", steps=2)
good(train(other, f"{folder}/pairs"), "a model with other names")
one_line(train(path, f"{folder}/x", *keys(f"train.init_from={folder}/pairs", "train.init_new=head/*")), 78,
         "nothing in ", "has the name of a parameter")

# ---- longer than the configuration says
long = f"{folder}/long"
shutil.copytree(source, long)
good(train(path, long, *keys("train.steps=20"), "--resume"), "20 steps by the key")
more = f"{folder}/more"
shutil.copytree(source, more)
result = train(path, more, "--extend", 4, ranks=2)
good(result, "4 steps more")
equal(hashes(more), hashes(long), "train.steps=20 and --extend 4")
result = train(path, more, "--extend", 4)
check(result.code == 0 and "the run is complete at step 20" in result.err, result.err)
good(train(path, more, "--extend", 6), "6 steps more than the configuration")
equal(max(hashes(more)), 22, "the last step")
result = train(path, more, "--extend", 8, "--check")
good(result, "--extend with --check")
check("  steps: 24\n" in result.out and "at step 22\n" in result.out and "; 2 steps take" in result.out, result.out)
with open(f"{more}/config.yaml") as file:
    check("steps: 22" in file.read(), "the run's own configuration says 22")
epochs = f"{folder}/epochs"
good(train(path, epochs, *keys("train.epochs=1")), "an epoch")
n = max(hashes(epochs))
good(train(path, epochs, *keys("train.epochs=1"), "--extend", 3), "3 steps more than an epoch")
equal(max(hashes(epochs)), n + 3, "the last step")
one_line(run("train", path, "--extend", 3, "--seeds", "0-1"), 64, "--extend goes on with one run")
finish()
