"""`trireme prepare` of graphs: folders of usual names, files named by options, what is said, mistakes;
`trireme inspect` of each kind.
"""
import shutil

from graphs import *

folder = tempfile.mkdtemp()
nodes = nodes_folder(f"{folder}/nodes")
dense = nodes_folder(f"{folder}/dense", sparse=False)
sets = set_folder(f"{folder}/sets")
pairs = pairs_folder(f"{folder}/pairs")
out = f"{folder}/out.h5"


def inspect(path, *parts):
    result = run("inspect", path)
    good(result, f"inspect {path}")
    for part in parts:
        check(part in result.out, f"inspect shows {part!r}: {result.out}")
    return result.out


def digest(path):
    return re.search(r"^digest +(\w+)$", inspect(path), re.M).group(1)


def said(result, *parts):
    good(result, "prepare")
    for part in parts:
        check(part in result.err, f"prepare says {part!r}: {result.err}")


def bad(code, part, *words):
    result = run("prepare", *words, "-o", out)
    equal(result.code, code, f"exit code of prepare {words}: {result.err}")
    equal(len(result.lines()), 1, f"one line of prepare {words}: {result.err}")
    check(part in result.err, f"prepare {words} says {part!r}: {result.err}")
    check(not os.path.exists(out), f"no output of prepare {words}")


# ---- folders, and the same files by options
said(run("prepare", "graph", nodes, "-o", f"{folder}/a.h5"), "240 nodes", "12 sparse features",
     "3 classes", "1 split", "note: 1 node without edges")
said(run("prepare", "graph", "--edges", f"{nodes}/edges.tsv", "--features", f"{nodes}/features.tsv",
         "--labels", f"{nodes}/labels.tsv", "--train", f"{nodes}/train.txt", "--valid",
         f"{nodes}/val.txt", "--test", f"{nodes}/test.txt", "-o", f"{folder}/b.h5"))
equal(digest(f"{folder}/a.h5"), digest(f"{folder}/b.h5"), "a folder and its files by options")
inspect(f"{folder}/a.h5", "kind         graph, format 1", "120  train, 60 valid, 60 test, 0 in none")
said(run("prepare", "graphs", sets, "-o", f"{folder}/s.h5"), "40 graphs", "2 classes", "10 folds")
inspect(f"{folder}/s.h5", "kind         graphs, format 1", "10\n  0                       4  graphs")
said(run("prepare", "interactions", pairs, "-o", f"{folder}/p.h5"), "60 users",
     "480 interactions for training, 120 to be found")
inspect(f"{folder}/p.h5", "kind         interactions, format 1")
# Ids that are numbers stay what they are, also of one file; else they are names.
for name, text in (("one.txt", "0 7 2\n2 2 9\n1 2 7 9\n"), ("one.csv", "user,item\n0,7\n0,2\n2,2\n2,9\n1,2\n1,7\n1,9\n")):
    with open(f"{folder}/{name}", "w") as file:
        file.write(text)
    said(run("prepare", "interactions", f"{folder}/{name}", "--ids", "numbers", "-o", f"{folder}/one.h5"), "3 users, 10 items")
    check("names" not in run("inspect", f"{folder}/one.h5").out, "numbers are no names")
    said(run("prepare", "interactions", f"{folder}/{name}", "-o", f"{folder}/one.h5"), "3 users, 3 items", "ids are names")

# ---- splits by files, in the order of their names; lists go before them
for k in (1, 0):
    parts = [("train", 3), ("val", 2), ("test", 1)]
    write(f"{dense}/split_{k}.tsv", (f"{10 * k + 3 * i + j}\t{name}"
                                    for i, (name, n) in enumerate(parts) for j in range(n)))
said(run("prepare", "graph", dense, "-o", f"{folder}/d.h5"), "1 split")
for name in ("train", "val", "test"):
    os.remove(f"{dense}/{name}.txt")
said(run("prepare", "graph", dense, "-o", f"{folder}/d.h5"), "2 splits", "12 features")
inspect(f"{folder}/d.h5", "  0                       3  train, 2 valid, 1 test, 234 in none")
said(run("prepare", "graph", dense, "-o", f"{folder}/e.h5", "--split", f"{dense}/split_1.tsv",
         "--split", f"{dense}/split_0.tsv"), "2 splits")
check(digest(f"{folder}/d.h5") != digest(f"{folder}/e.h5"), "the order of splits is that given")

# ---- keeping nodes, one way, number of nodes
write(f"{folder}/keep.txt", (str(i) for i in range(0, 240, 2)))
said(run("prepare", "graph", nodes, "--keep", f"{folder}/keep.txt", "--row-normalize", "-o", out),
     "120 nodes")
os.remove(out)
said(run("prepare", "graph", nodes, "--directed", "--nodes", 250, "-o", out), "250 nodes",
     "directed edges", "note: 11 nodes without edges, 10 nodes without a label, 10 nodes without features")
os.remove(out)

# ---- nodes without edges; features that count from 1; another word for no label
few = f"{folder}/few"
os.mkdir(few)
write(f"{few}/features.tsv", (f"{i} {i + 1} 1" for i in range(6)))
write(f"{few}/labels.tsv", (f"{i} {('?', 'a', 'b')[i % 3]}" for i in range(6)))
one_line(run("prepare", "graph", few, "-o", out), 66, "few: has no edges.tsv", "--no-edges")
said(run("prepare", "graph", few, "--no-edges", "--no-label", "?", "--valid-share", "0.5", "-o", out), "6 nodes, 0 edges",
     "7 sparse features", "2 classes", "6 nodes without edges, 2 nodes without a label",
     "features.tsv: note: features seem to count from 1: no line has feature 0", "--feature-base 1")
for base, n in ((0, 7), (1, 6)):
    result = run("prepare", "graph", few, "--no-edges", "--no-label", "?", "--feature-base", base, "-o", out)
    said(result, f"{n} sparse features")
    check("seem to count" not in result.err, result.err)
one_line(run("prepare", "graph", few, "--no-edges", "--feature-base", 2, "-o", out), 64, "--feature-base is '2'")
said(run("prepare", "graph", few, "--no-edges", "--keep", write(f"{folder}/kept.txt", "135"), "-o", out),
     "3 nodes", "3 classes", "note: nodes have other numbers in the data set than in the tables")
inspect(out, "names                     3  nodes have names")
one_line(run("prepare", "graph", "--no-edges", "-o", out), 64, "--nodes N")
one_line(run("prepare", "graph", nodes, "--no-edges", "--edges", f"{nodes}/edges.tsv", "-o", out), 64, "--no-edges")
os.remove(out)

# ---- names of files: valid.txt is val.txt, what is not used is named, split_10 comes after split_2
shutil.copytree(nodes, f"{folder}/named")
os.rename(f"{folder}/named/val.txt", f"{folder}/named/valid.txt")
write(f"{folder}/named/vall.txt", ["1"])
with open(f"{folder}/named/labels.tsv") as file:
    text = file.read()
with open(f"{folder}/named/labels.tsv", "w", encoding="utf-8-sig") as file: # with a byte order mark
    file.write(text)
said(run("prepare", "graph", f"{folder}/named", "-o", out), "passed over: vall.txt", "60 valid")
os.remove(out)
os.remove(f"{folder}/named/train.txt")
bad(74, "has a validation part, but no train.txt", "graph", f"{folder}/named")
for name in ("valid.txt", "test.txt", "vall.txt"):
    os.remove(f"{folder}/named/{name}")
for number in (10, 2):
    write(f"{folder}/named/split_{number}.tsv", [f"{i}\ttrain" for i in range(number)])
said(run("prepare", "graph", f"{folder}/named", "-o", out), "2 splits (the first: 2 train")
os.remove(out)

# ---- mistakes
bad(64, "'nowhere' is no folder", "graph", "nowhere")
bad(64, "takes one folder, but 'more' is given", "graph", nodes, "more")
bad(66, "has no nodes.tsv, which prepare graphs needs; name the file by --nodes-file", "graphs", nodes)
bad(64, "prepare interactions: give a folder with train.txt, or --train FILE", "interactions")
bad(64, "prepare graph: takes no --folds", "graph", nodes, "--folds", f"{sets}/folds.tsv")
bad(64, "did you mean 'graph'?", "grafs", sets)
bad(64, "prepare debian: takes no --nodes", "debian", "--nodes", "5")
bad(64, "takes one model, but 'x' and 'y' are given", "synth", "--graph=x", "y")
bad(64, "prepare synth --graph: takes no --tokens", "synth", "--graph", "--tokens", 50)
bad(65, "239 nodes, 0 to 238 (--nodes)", "graph", nodes, "--nodes", 239)
bad(64, "prepare graph: no option '--labelz'; did you mean '--labels'?", "graph", nodes, "--labelz", "x")
bad(64, "there are text, debian, synth, graph, graphs, interactions, shop, labelled, pairs, table, images", "nothing-like-it")
bad(64, "no kind 'texts'", "texts", "graph")
bad(64, "prepare debian --graph: --graph takes no value", "debian", "--graph=x")
shutil.copytree(nodes, f"{folder}/broken")
with open(f"{folder}/broken/labels.tsv", "a") as file:
    file.write("7\t1\n")
bad(65, "labels.tsv:241: column 1: node 7 is listed twice", "graph", f"{folder}/broken")

# ---- every way: its page, options of others, words and options in any order
write(f"{folder}/text.txt", (f"line {i}" for i in range(200)))
write(f"{folder}/index", (f"Package: p{i}\nSection: s{i % 3}\nDepends: p{i * 7 % 30}\n"
                         f"Description: word{i % 5} of package {i}\n" for i in range(30)))
write(f"{folder}/labels.tsv", (f"{i % 2}\ttext {i}" for i in range(30)))
write(f"{folder}/pixels.csv", (f"{i % 2},{i},{i + 1}" for i in range(30)))
# name, words, options, an option of the way, one of other ways, who takes that
os.mkdir(f"{folder}/shop")
with open(f"{folder}/shop/products.tsv", "w") as file:
    file.write("product\tdescription\n" + "".join(f"p{p}\t{'red' if p % 2 else 'blue'} lamp\n" for p in range(6)))
with open(f"{folder}/shop/purchases.tsv", "w") as file:
    file.write("customer\tproduct\ttime\n" + "".join(f"c{day % 7}\tp{day % 6}\t{day}\n" for day in range(120)))

WAYS = (
    ("text", [f"{folder}/text.txt"], ["--unit", "byte"], "--valid-share", "--folds", "graphs, labelled, table, images"),
    ("debian", [], ["--index", f"{folder}/index"], "--unit", "--words", "debian --graph"),
    ("debian --graph", [], ["--index", f"{folder}/index"], "--splits-count", "--unit",
     "text, debian, labelled, pairs"),
    ("synth", [], ["--tokens", "500"], "--vocab", "--index", "debian, debian --graph"),
    ("synth --graph", ["powerlaw"], ["--nodes", "90"], "--homophily", "--tokens", "synth"),
    ("synth --pairs", ["copy"], ["--samples", "90"], "--symbols", "--homophily", "synth --graph"),
    ("graph", [nodes], ["--nodes", "250", "--directed"], "--keep", "--graph",
     "debian --graph, synth --graph"),
    ("graphs", [sets], ["--degree-features"], "--attributes", "--keep", "graph"),
    ("interactions", [pairs], ["--test", f"{pairs}/test.txt"], "--train", "--valid",
     "text, synth --pairs, graph, labelled, pairs, table, images"),
    ("shop", [f"{folder}/shop"], ["--min-count", "1"], "--time-unit", "--symbols", "synth --pairs"),
    ("labelled", [f"{folder}/labels.tsv"], ["--text", "2", "--label", "1"], "--real", "--source", "pairs"),
    ("pairs", [f"{folder}/labels.tsv"], ["--unit", "word"], "--target-unit", "--fold", "labelled, table"),
    ("table", [f"{folder}/labels.tsv"], ["--target", "1", "--kind", "2=category"], "--group", "--symbols", "synth --pairs"),
    ("images", [], ["--pixels", f"{folder}/pixels.csv", "--size", "1x2"], "--resize", "--symbols", "synth --pairs"),
)
listed = run("prepare", "--help")
good(listed, "prepare --help")
equal(run("help", "prepare").out, listed.out, "help prepare and prepare --help")
usage = listed.out.splitlines()[0]
check(usage in run("help").out, f"help has the usage line {usage}")
equal(re.findall(r"^  ((?:\w+)(?: --\w+)?)\b", listed.out, re.M), [way[0] for way in WAYS],
      "the list has every way")
for name, words, options, own, foreign, takers in WAYS:
    first, *variant = name.split()
    check(f" {first} " in usage, f"{first} in {usage}")
    page = run("prepare", *name.split(), "--help")
    good(page, f"prepare {name} --help")
    check(own in page.out and "--output" in page.out and page.out.startswith(f"trireme prepare {name} "),
          f"page of {name}: {page.out}")
    own_page = page.out.split("\n\ntrireme")[0]  # the page of its variant comes behind it
    check(f"  {foreign}" not in own_page, f"{foreign} on the page of {name}: {own_page}")
    check(page.out in run("help", "prepare", first).out, f"help prepare {first} has all of {name}")
    equal(run("prepare", *variant, "-h", first).out, page.out if variant else run(
        "help", "prepare", first).out, f"-h before {name}")
    equal(run("help", "prepare", first, ranks=2).out, run("help", "prepare", first).out,
          f"page of {name}: two ranks print it once")
    for value in ([foreign] if foreign == "--graph" else [foreign, "7"], [f"{foreign}=7"]):
        for order in ([*name.split(), *words, *options, *value], [*value, *name.split(), *words]):
            bad(64, f"prepare {name}: takes no {foreign}, which is for {takers}; see", *order)
    result = run("prepare", first, *words)
    equal((result.code, len(result.lines()), "-o DATA.h5" in result.err), (64, 1, True),
          f"{first} without -o: {result.err}")
    orders = [[*name.split(), *words, *options, "-o", out], ["-o", out, *name.split(), *words, *options],
              [*options, *variant, f"--output={out}", first, *words],
              ["-o", out, *options, first, *variant, *words],
              ["-o", out, *options, *variant, "--", first, *words]]
    made = set()
    for order in orders:
        result = run("prepare", *order)
        said(result)
        made.add((digest(out), os.path.getsize(out), result.err))
        os.remove(out)
    equal(len(made), 1, f"prepare {name}: words and options in any order: {made}")
bad(64, "no kind 'ways'", "ways", "--help")
equal(run("help", "prepare", "ways").code, 64, "help of an unknown kind")
one_line(run("help", "prepare", "text", "graph"), 64, "one command (3 given)")

shutil.rmtree(folder)
finish()
