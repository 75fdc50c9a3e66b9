"""Names of samples: taken from a column or the paths of images, kept in the data set, shown by predictions,
mistakes, reports and inspect."""
import csv

from sequences import config, moods, prepare, write
from values import *

folder = temp_folder()
SMALL = "\nbatch: {size: 20, blocks: 4}"


def trained(name, data, body, *settings):
    run_dir = f"{folder}/run-{name}"
    good(train(config(f"{folder}/{name}.yaml", data, body + SMALL, 6, 3), run_dir,
               *(word for key in settings for word in ("--set", key))), f"train {name}")
    return run_dir


def rows_of(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def predicted(run_dir, *more, ranks=0):
    good(run("predict", run_dir, *more, "-o", f"{folder}/out.tsv", ranks=ranks), f"predict {run_dir}")
    return rows_of(f"{folder}/out.tsv")


def made(*words):
    """What a preparation says; it ends well."""
    result = run("prepare", *words, "-o", f"{folder}/made.h5")
    good(result, " ".join(map(str, words)))
    return result.out + result.err


# ---- images: the paths of their files
content, kinds = bars(60, side=8)
for i in range(60):
    place = f"{folder}/photos/{'lies stands both'.split()[kinds[i]]}"
    os.makedirs(place, exist_ok=True)
    grey_png(f"{place}/{i}.png", 8, 8, content[i * 64:(i + 1) * 64])
os.makedirs(f"{folder}/photos/__MACOSX/lies")  # what systems leave in folders is passed over
write(f"{folder}/photos/lies/Thumbs.db", "not a picture")
data = prepare(folder, "photos", "images", f"{folder}/photos", "--valid-share", "0.4")
run_dir = trained("photos", data, "model: {kind: cnn, channels: '2', widths: '4'}")
wanted = sorted((f"{'lies stands both'.split()[kinds[i]]}/{i}.png" for i in range(60)),
                key=lambda name: (name.split("/")[0], int(name.split("/")[1][:-4])))
for ranks in (0, 3):
    equal([row["name"] for row in predicted(run_dir, ranks=ranks)], wanted, f"names of images, {ranks} ranks")
mistakes = rows_of(f"{run_dir}/mistakes.tsv")
check(mistakes and all(row["name"] == wanted[int(row["sample"])] for row in mistakes), f"mistakes: {mistakes}")
good(run("report", run_dir, "-o", f"{folder}/report.html", "--csv", f"{folder}/numbers"), "report")
with open(f"{folder}/report.html") as file:
    check(f"<br>{mistakes[0]['name']}</small>" in file.read(), "the report names an image")
with open(f"{folder}/numbers/mistakes.csv", newline="") as file:
    equal([row["name"] for row in csv.DictReader(file)], [row["name"] for row in mistakes], "mistakes.csv")
shown = run("inspect", data).out
check("60  samples have names" in shown and "name both/" in shown, shown)
shown = run("inspect", data, "--samples", 2, "-o", f"{folder}/sheet.png").out
check("sample 0 both/" in shown and "(both)" in shown, shown)
with open(data, "rb") as one, open(prepare(folder, "again", "images", f"{folder}/photos", "--valid-share", "0.4"), "rb") as other:
    check(one.read() == other.read(), "the same photos make the same file")
os.makedirs(f"{folder}/parts")
os.rename(f"{folder}/photos", f"{folder}/parts/train")
os.makedirs(f"{folder}/parts/test/lies")
grey_png(f"{folder}/parts/test/lies/x.png", 8, 8, content[:64])
made("images", f"{folder}/parts")
shown = run("inspect", f"{folder}/made.h5", "--samples", 61, "-o", f"{folder}/sheet.png").out
check(" train/both/" in shown and " test/lies/x.png (lies)" in shown, shown)
# Folders of one name below different places: told.
said = made("images", f"{folder}/parts/train", "--test", f"{folder}/parts/test", "--valid", f"{folder}/parts/test")
check("note: 1 sample has the name of an earlier one" in said and "'test/lies/x.png'" in said, said)
# Pixels in a table, beside their names.
write(f"{folder}/pixels.csv", "".join(f"n{i},{i % 2},{','.join(str(9 * i + k) for k in range(4))}\n" for i in range(20)))
made("images", "--pixels", f"{folder}/pixels.csv", "--size", "2x2", "--id", "1")
check("name n0" in run("inspect", f"{folder}/made.h5").out, "names of images of a table")
one_line(run("prepare", "images", f"{folder}/parts/train", "--id", "1", "-o", f"{folder}/no.h5"), 64,
         "images of a folder have their paths as names")

# ---- texts
lines = [line.split("\t") for line in moods(80).splitlines()]
write(f"{folder}/texts.csv", "mood,review,key\n" + "".join(f'{mood},{text},"r {i % 79}"\n' for i, (mood, text) in enumerate(lines)))
LABELLED = ("labelled", f"{folder}/texts.csv", "--text", "review", "--label", "mood")
said = made(*LABELLED, "--id", "key", "--valid-share", "0.4")
check("note: 1 sample has the name of an earlier one, as samples 0 and 79 'r 0'; their numbers tell them apart" in said, said)
run_dir = trained("texts", f"{folder}/made.h5", "model: {kind: encoder, layers: 1, heads: 2, width: 8, context: 24}")
equal([row["name"] for row in predicted(run_dir)], [f"r {i % 79}" for i in range(80)], "names of texts")
mistake = rows_of(f"{run_dir}/mistakes.tsv")[0]
good(run("report", run_dir, "-o", f"{folder}/report.html", "--force"), "report")
with open(f"{folder}/report.html") as file:
    check(f'<td class="word">{mistake["name"]}</td>' in file.read(), "the report names a text")
one_line(run("prepare", *LABELLED, "--id", "kee", "-o", f"{folder}/no.h5"), 64, "has no column 'kee' (--id)", "'mood', 'review', 'key'")
write(f"{folder}/new.csv", "key,review\n" + "".join(f"new{i},{text}\n" for i, (_, text) in enumerate(lines[:9])))
bare = prepare(folder, "bare", "labelled", f"{folder}/new.csv", "--text", "review", "--id", "1", "--unlabelled", "--vocabulary",
               f"{folder}/made.h5")
equal([row["name"] for row in predicted(run_dir, "--data", bare)], [f"new{i}" for i in range(9)], "names of new texts")
plain = prepare(folder, "plain", *LABELLED, "--valid-share", "0.4")
check("name" not in predicted(run_dir, "--data", plain)[0] and "names" not in run("inspect", plain).out, "no names")
digest = [re.search(r"digest +(\w+)", run("inspect", path).out).group(1) for path in (plain, f"{folder}/made.h5")]
equal(digest[0], digest[1], "names are no part of what is trained on")
one_line(run("prepare", "labelled", "--class", "a=x", "--id", "1", "-o", f"{folder}/no.h5"), 64, "--id is a column of tables")

# ---- rows
lines = table_rows(80, gaps=0).splitlines()
write(f"{folder}/rows.csv", "key," + lines[0] + "\n" + "".join(f"k{i},{line}\n" for i, line in enumerate(lines[1:])))
for target in ("price", "kind", "tags"):
    data = prepare(folder, target, "table", f"{folder}/rows.csv", *TARGETS[target], "--id", "key", "--valid-share", "0.3")
    run_dir = trained(target, data, "model: {kind: mlp, widths: '4'}")
    equal([row["name"] for row in predicted(run_dir)], [f"k{i}" for i in range(80)], f"names of rows, {target}")
check("categories: key" not in run("inspect", data).out, "a name is no input")
for group in (("--group", "shop", "--id", "shop"), ("--kind", "key=skip", "--id", "key")):
    made("table", f"{folder}/rows.csv", "--target", "price", *group, "--kind", "kind=skip")
one_line(run("prepare", "table", f"{folder}/rows.csv", "--target", "price", "--id", "nokey", "-o", f"{folder}/no.h5"), 64,
         "has no column 'nokey' (--id)", "'key', 'x', 'y'")
write(f"{folder}/few.csv", "id,a,b\n,1,2\n  z ,2,3\n,3,1\ny,4,2\n")
check("note: 2 samples have an empty name" in made("table", f"{folder}/few.csv", "--target", "b", "--id", "id"), "empty names")

# ---- pairs
write(f"{folder}/pairs.csv", "from,to,key\n" + "".join(f"{c * 3},{c.upper() * 3},p{c}\n" for c in "abcdefghij"))
data = prepare(folder, "pairs", "pairs", f"{folder}/pairs.csv", "--columns", "from,to", "--id", "key", "--unit", "char", "--valid-share", "0.3")
run_dir = trained("pairs", data, "model: {kind: seq2seq, layers: 1, heads: 2, width: 8, context: 8}", "batch.size=5")
for row in rows_of(f"{run_dir}/written.tsv"):
    equal(row["name"], "p" + row["reference"][0].lower(), "names of pairs")
one_line(run("prepare", "pairs", f"{folder}/pairs.csv", "--id", "1", "-o", f"{folder}/no.h5"), 64,
         "--id is the column of the sources too; give sources and targets by --columns SOURCE,TARGET")
one_line(run("prepare", "pairs", "--source", "a", "--target", "b", "--id", "1", "-o", f"{folder}/no.h5"), 64,
         "--id is a column of tables")

# ---- what is not read of a file is shown
check("not read" not in run("inspect", data).out, "all of a prepared file is read")
finish()
