"""Samples without targets: prepared from rows, images and texts; predicted as the same samples with targets
are; not trained on, not scored."""
import csv
import os

from sequences import labelled, moods
from values import *

folder = temp_folder()
SMALL = "\nbatch: {size: 20, blocks: 4}"


def trained(name, data, body, *more):
    run_dir = f"{folder}/run-{name}"
    good(train(config(f"{folder}/{name}.yaml", data, body + SMALL, 8, 4), run_dir, *more), f"train {name}")
    return run_dir


def predicted(run_dir, data):
    path = f"{folder}/out.tsv"
    good(run("predict", run_dir, "--data", data, "-o", path, ranks=2), f"predict {data}")
    with open(path, newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def alike(name, run_dir, data, bare, known):
    """`known`: columns of what is known of labelled samples."""
    want, got = predicted(run_dir, data), predicted(run_dir, bare)
    check(any(row[known] for row in want) and not any(row[known] for row in got), f"{name}: known targets")
    equal([{key: row[key] for key in want[0]} for row in got], [{**row, known: ""} for row in want],
          f"{name}: predictions without targets")


def refused(name, run_dir, bare):
    one_line(run("evaluate", run_dir, "--data", bare, ranks=2), 65, f"the samples of {bare} have no targets")
    path = config(f"{folder}/again.yaml", bare, "model: {kind: mlp}" + SMALL)
    one_line(train(path, f"{folder}/none"), 78, f"the samples of {bare} have no targets" if name != "texts"
             else "model.kind is 'mlp'")
    shown = run("inspect", bare)
    good(shown, f"inspect {bare}")
    check("to none" in shown.out and "->" not in shown.out, shown.out)


# ---- rows
lines = [line.split(",") for line in table_rows(60).splitlines()]
bare_text = "".join(",".join(line[:5]) + "\n" for line in lines)
rows_file = write(f"{folder}/bare.csv", bare_text)
bare = prepare(folder, "bare", "table", rows_file, "--unlabelled")
for target, known in (("price", "target"), ("kind", "label"), ("tags", "labels")):
    data = table(folder, target, n=60, more=("--valid-share", "0.2"))
    run_dir = trained(target, data, "model: {kind: mlp, widths: '8', levels: embedded}",
                      "--set", "eval.select=" + {"price": "mae", "kind": "accuracy", "tags": "exact"}[target])
    alike(target, run_dir, data, bare, known)
refused("rows", run_dir, bare)
one = prepare(folder, "one", "table", write(f"{folder}/one.csv", "".join(bare_text.splitlines(True)[:2])),
              "--unlabelled", "--kind", "colour=category", "--kind", "shop=category", "--kind", "x=number")
equal(predicted(run_dir, one), predicted(run_dir, bare)[:1], "a row alone")
gaps = prepare(folder, "gaps", "table", write(f"{folder}/gaps.csv", "x,y,z,colour,shop\n,,,,\n1,,,,\n"), "--unlabelled",
               "--kind", "colour=category", "--kind", "shop=category")
equal(len(predicted(run_dir, gaps)), 2, "rows with next to nothing")
for more in (("--target", "x"), ("--folds", "3"), ("--test", rows_file), ("--drop-missing-target",)):
    one_line(run("prepare", "table", rows_file, "--unlabelled", *more, "-o", f"{folder}/no.h5"), 64,
             "--unlabelled rows have no targets, folds or parts")
one_line(run("prepare", "table", rows_file, "-o", f"{folder}/no.h5"), 64, "--target COLUMN; --unlabelled takes rows")

# ---- images: IDX, tables of pixels, a folder
pixels, labels = image_files(folder, "bars", 60)
data = prepare(folder, "images", "images", "--images", pixels, "--labels", labels, "--valid-share", "0.2")
run_dir = trained("bars", data, "model: {kind: cnn, channels: '4', widths: '6'}")
content, _ = bars(60)
images_ = [content[i * 144:(i + 1) * 144] for i in range(60)]
table_file = write(f"{folder}/pixels.csv", "".join(",".join(map(str, image)) + "\n" for image in images_))
os.makedirs(f"{folder}/pictures")
for number, image in enumerate(images_):
    grey_png(f"{folder}/pictures/{number}.png", 12, 12, image)
for name, given in (("idx", ("--images", pixels)), ("pixels", ("--pixels", table_file, "--size", "12x12")),
                    ("pictures", (f"{folder}/pictures",))):
    bare = prepare(folder, name, "images", *given, "--unlabelled")
    alike(name, run_dir, data, bare, "label")
refused("images", run_dir, bare)
for more in (("--labels", labels), ("--folds", "3"), ("--test-images", pixels)):
    one_line(run("prepare", "images", "--images", pixels, *more, "--unlabelled", "-o", f"{folder}/no.h5"), 64,
             "--unlabelled images have no labels, parts or folds")
one_line(run("prepare", "images", "--images", pixels, "-o", f"{folder}/no.h5"), 64, "has no file of labels beside it")

# ---- texts
text = moods(60)
data = labelled(folder, "texts", text)
run_dir = trained("texts", data, "model: {kind: encoder, layers: 1, heads: 2, width: 8, context: 24}")
lines_file = write(f"{folder}/lines.tsv", "".join(line.split("\t")[1] + "\n" for line in text.splitlines()))
bare = prepare(folder, "lines", "labelled", lines_file, "--text", "1", "--unlabelled", "--vocabulary", data,
               "--separator", "tab")
alike("texts", run_dir, data, bare, "label")
refused("texts", run_dir, bare)
other = prepare(folder, "other", "labelled", lines_file, "--text", "1", "--unlabelled", "--separator", "tab")
one_line(run("predict", run_dir, "--data", other, "-o", f"{folder}/no.tsv"), 65, "has another input vocabulary")
for more in (("--label", "1"), ("--real",), ("--test", lines_file)):
    one_line(run("prepare", "labelled", lines_file, "--text", "1", "--unlabelled", *more, "-o", f"{folder}/no.h5"), 64,
             "--unlabelled texts have no labels, folds or parts")

# ---- some samples without a label: left out, and counted
def leaves_out(count, what, *words):
    result = run("prepare", *words, "-o", f"{folder}/some.h5")
    good(result, words)
    check(f"left out: {what} without a {'target' if what == 'rows' else 'label'}: {count}\n" in result.err, result.err)


some = write(f"{folder}/some.csv", "x,y\n" + "".join(f"{i}.5,{('a', 'b', 'none', '')[i % 4]}\n" for i in range(40)))
leaves_out(20, "rows", "table", some, "--target", "y", "--no-label", "none")
one_line(run("prepare", "table", some, "--target", "y", "-o", f"{folder}/no.h5"), 65, "the target 'y' is missing")
one_line(run("prepare", "table", some, "--target", "y", "--no-label"), 64, "--no-label needs a value", "--unlabelled")
some = write(f"{folder}/some.px", "".join(f"{('a', 'b', '?', '')[i % 4]},1,2,3,{i}\n" for i in range(40)))
leaves_out(20, "images", "images", "--pixels", some, "--size", "2x2", "--no-label", "?")
one_line(run("prepare", "images", f"{folder}/pictures", "-o", f"{folder}/no.h5"), 65,
         "0.png: is an image, and no folder is beside it", "by --unlabelled")
finish()
