"""Tables as people have them: what `trireme prepare` takes a file for, what it asks, what it refuses; data
sets as they are published are prepared and trained on at once.
"""
import gzip
import pickle
import random
import shutil
import zipfile

from harness import *

folder = tempfile.mkdtemp()
os.chdir(folder)
random.seed(1)
N = 40
EDGES = sorted({tuple(sorted(random.sample(range(N), 2))) for _ in range(120)} | {(0, N - 1)})
E = len(EDGES)
NAMES = ["Ada Lovelace", "José", "Łukasz", "a, b"] + [f"person {i}" for i in range(4, N)]


def put(name, text, encoding="utf-8"):
    os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
    with open(name, "wb") as file:
        file.write(text if isinstance(text, bytes) else text.encode(encoding))
    return name


def lines(rows, separator="\t", end="\n"):
    return "".join(separator.join(str(x) for x in row) + end for row in rows)


def made(parts, *words, gone=()):
    """Prepares out.h5, says the parts, and none of `gone`; returns what was said."""
    if os.path.exists("out.h5"):
        os.remove("out.h5")
    result = run("prepare", *words, "-o", "out.h5")
    equal(result.code, 0, f"exit code of prepare {words}: {result.err}")
    for part in parts:
        check(part in result.err, f"prepare {words} says {part!r}: {result.err}")
    for part in gone:
        check(part not in result.err, f"prepare {words} does not say {part!r}: {result.err}")
    return result.err


def refused(parts, *words, code=65):
    """Prepares nothing, with one line of these parts."""
    if os.path.exists("out.h5"):
        os.remove("out.h5")
    result = run("prepare", *words, "-o", "out.h5")
    equal(result.code, code, f"exit code of prepare {words}: {result.err}")
    equal(len(result.lines()), 1, f"one line of prepare {words}: {result.err}")
    for part in parts:
        check(part in result.err, f"prepare {words} says {part!r}: {result.err}")
    check(not os.path.exists("out.h5"), f"no output of prepare {words}")


def digest():
    return re.search(r"^digest +(\w+)$", run("inspect", "out.h5").out, re.M).group(1)


made(["3 edges", "no header"], "graph", put("again.txt", "u v\nv w\nw u\n"))
made(["2 edges", "no header"], "graph", put("orc.txt", "ORC1 ORC2\nORC2 ORC3\n"))
made(["2 edges", "no header"], "graph", put("par.txt", "PAR1 PAR2\nPAR2 PAR3\n"))

# ---- one graph in every form: the same data set
put("plain.txt", lines(EDGES))
made([f"{N} nodes, {E} edges both ways", "fields parted by tabs or spaces"], "graph", "plain.txt")
SAME = digest()
KEPT = set()  # of graphs whose ids count from 1: the same, and their numbers as names
one = [(a + 1, b + 1) for a, b in EDGES]
quoted = "".join(f'"{a}","{b}"\r\n' for a, b in EDGES)
mtx = "%%MatrixMarket matrix coordinate {} general\n% made here\n{} {} {}\n"
FORMS = (
    ("comma.csv", lines(EDGES, ","), "parted by commas"),
    ("semicolon.csv", lines(EDGES, " ; "), "parted by semicolons"),
    ("pipe.txt", lines(EDGES, "|"), "parted by pipes"),
    ("colons.dat", lines(EDGES, "::"), "parted by two colons"),
    ("blanks.txt", "".join(f"   {a}     {b}  \n" for a, b in EDGES), "tabs or spaces"),
    ("quoted.csv", quoted, "parted by commas"),
    ("header.csv", "From Node-Id,To_Node_Id\n" + lines(EDGES, ","), "header: From Node-Id, To_Node_Id"),
    ("swapped.csv", "year,target,source\n" + lines([(1990, b, a) for a, b in EDGES], ","), "passed over: column year"),
    ("index.csv", ",head,tail\n" + lines([(i, *e) for i, e in enumerate(EDGES)], ","), "column 1 counts the lines"),
    ("snap.txt", f"# Nodes: {N} Edges: {E}\n# FromNodeId\tToNodeId\n% more\n" + lines(EDGES, "\t", "\r\n"), "no header"),
    ("marked.txt", b"\xef\xbb\xbf" + lines(EDGES).encode(), "a byte order mark"),
    ("packed.gz", gzip.compress(lines(EDGES).encode()), "gzip"),
    ("old.txt", lines(EDGES, " ", "\r"), "end with CR"),
    ("sep.csv", "sep=;\nsource;target\n" + lines(EDGES, ";"), "parted by semicolons, header: source, target"),
    ("ends.csv", "source,target,\n" + "".join(f"{a},{b},\n" for a, b in EDGES), "header: source, target"),
    ("r.txt", '"from" "to"\n' + "".join(f'"{i}" {a} {b}\n' for i, (a, b) in enumerate(EDGES)), "has those of the rows"),
    ("double.txt", lines([(f"{a:.18e}", f"{b}.0") for a, b in EDGES]), "no header"),
    ("zeros.txt", lines([(f"{a:05}", f"{b:05}") for a, b in EDGES]), "--ids names keeps them"),
    ("pattern.mtx", mtx.format("pattern", N, N, E) + lines(one, " "), "Matrix Market"),
    ("out.konect", f"% sym unweighted\n% {E} {N} {N}\n" + lines([(*e, 1, 1082000000) for e in one], " "), "KONECT"),
)
for name, text, part in FORMS:
    made([part], "graph", put(name, text))
    if "MatrixMarket" in str(text) or "% sym" in str(text):
        KEPT.add(digest())
    else:
        equal(digest(), SAME, f"{name} is the same graph")
made(["ids from 1"], "graph", put("one.txt", lines(one)), "--base", "1")
equal(KEPT, {digest()}, "ids from 1")
made(["passed over"], "graph", put("times.txt", lines([(*e, 1082040961) for e in EDGES])), "--columns", "1,2")
equal(digest(), SAME, "two columns of three")
made([], "graph", put("sized.txt", f"{N} {E}\n" + lines(EDGES)), "--header", "yes")
equal(digest(), SAME, "a size line that is passed over")
made(["Matrix Market"], "graph", put("sym.mtx", mtx.format("real", N, N, E).replace("general", "symmetric")
                                     + lines([(b, a, 1) for a, b in one], " ")))
made([], "graph", "sized.txt", "--header", "no", "--nodes", 1000)

# ---- what may be meant otherwise is asked, and both answers lead on
refused(["nodes are 1 to 40", "--base 1", "--base 0"], "graph", "one.txt")
made(["41 nodes"], "graph", "one.txt", "--base", "0")
refused(["looks like times", "--columns 1,2 "], "graph", "times.txt")
refused(["a size line?", "--header yes", "--header no"], "graph", "sized.txt")
refused(["3 fields (40, 40, ", "the lines after it have 2", "--header yes"], "graph",
        put("sized3.txt", f"{N} {N} {E}\n" + lines(EDGES)))
made([], "graph", "sized3.txt", "--header", "yes")
refused(["4 fields", "--columns"], "graph", put("four.csv", lines([(a, b, 1, 2) for a, b in EDGES], ",")))
made([], "graph", "four.csv", "--columns", "1,2,3")
refused(["counts nodes from 1", "--base 1 or --base 0"], "graph", "pattern.mtx", "--labels",
        put("labels1.tsv", lines([(i + 1, i % 3) for i in range(N)])))
made(["3 classes"], "graph", "pattern.mtx", "--labels", "labels1.tsv", "--base", "1")
refused(["weight -1 is negative; --columns 1,2"], "graph", put("signed.txt", lines([(a, b, -1) for a, b in EDGES])))
refused(["'0,5' has a decimal comma"], "graph", put("comma.txt", lines([(a, b, "0,5") for a, b in EDGES], ";")))
refused(["no column 'c' (--columns)", "source"], "graph", put("named.csv", "source,target\n" + lines(EDGES, ",")),
        "--columns", "c,target", code=64)
refused(["--separator is 'dots'"], "graph", "plain.txt", "--separator", "dots", code=64)

refused(["lists of neighbours?", "--base 1"], "graph", put("lists.txt", "0 1 2 3\n1 0\n2 0 3 4 5\n3\n"))
refused(["'{}' is no finite number", "--columns"], "graph", put("nx.txt", lines([(a, b, "{}") for a, b in EDGES], " ")))
made([], "graph", "nx.txt", "--columns", "1,2")
refused(["'45%' has a percent sign"], "graph", put("share.csv", "source,target,weight\n" + lines([(a, b, "45%") for a, b in EDGES], ",")))

# ---- what is no table is named
refused(["UTF-16LE; convert it (iconv -f UTF-16LE -t UTF-8)"], "graph", put("wide.txt", lines(EDGES), "utf-16"))
refused(["is UTF-16BE"], "graph", put("wide.txt", lines(EDGES), "utf-16-be"))
refused(["is UTF-32LE"], "graph", put("wide.txt", lines(EDGES), "utf-32"))
with zipfile.ZipFile("z.zip", "w") as file:
    file.writestr("edges.txt", lines(EDGES))
SIGNED = (("z.zip", None, "a zip archive"), ("a.bz2", b"BZh91AY", "packed by bzip2"),
          ("a.xz", b"\xfd7zXZ\0", "packed by xz"), ("a.zst", b"\x28\xb5\x2f\xfd\0", "packed by zstd"),
          ("a.npy", b"\x93NUMPY\1\0", "a NumPy array"), ("a.parquet", b"PAR1\0\0", "a Parquet file"),
          ("a.pkl", pickle.dumps([1, 2], 4), "a Python pickle"), ("a.h5", b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
          ("a.db", b"SQLite format 3\0", "an SQLite database"), ("a.html", b"<!doctype HTML><p>", "a web page"),
          ("a.csv", b"version https://git-lfs.github.com/spec/v1\noid 1\n", "a pointer of Git LFS"),
          ("a.rds", b"X\n\0\0\0\3", "a file of R (.rds)"), ("a.mat", b"MATLAB 7.3 MAT-file, x", "a MATLAB file"),
          ("a.csv", b"PK\3\4" + bytes(22) + b"\x0b\0\0\0indices.npy", "a sparse matrix of SciPy (.npz)"),
          ("a.xlsx", b"PK\3\4" + bytes(22) + b"\x13\0\0\0[Content_Types].xml", "a document of an office program"),
          ("a.bin", b"0\t1\n\0\0\1", "a NUL byte at byte 4"),
          ("a.gz", gzip.compress(lines(EDGES).encode())[:90], "the gzip file ends too early"))
for name, text, part in SIGNED:
    if text:
        put(name, text)
    refused([part], "graph", name)
    if part.startswith("the gzip"):
        continue
    refused([part], "table", name, "--target", "1")
    refused([part], "text", name)

# Text, but no table: for tables named, for text as good as any.
DOCUMENTS = (("<?xml version='1.0'?>\n<graphml/>\n", "an XML file"), ("<gexf version='1.2'>\n</gexf>\n", "read_gexf"),
             ('Creator "x"\ngraph\n[\n  node\n  [ id 0 ]\n]\n', "read_gml"), ("% made here\n*Vertices 2\n1 a\n2 b\n", "read_pajek"),
             ("c FILE: x\np edge 3 2\ne 1 2\ne 2 3\n", "--base 1"), ("digraph G {\n a -> b;\n}\n", "Graphviz"),
             ('{"nodes": [{"id": 0}], "links": []}\n', "node_link_graph"), ('{"a": 1, "b": 2}\n' * 5, "lines=True"),
             ("[[0, 1, 2],\n [1, 2, 3]]\n", "a JSON file"), ("(0, 1)\n(1, 2)\n", "tr -d '()[]'"),
             ("<http://a> <http://p> <http://b> .\n" * 3, "'{print $1, $3}'"), ("1 1:0.5 3:1\n0 2:1\n", "svmlight"),
             ("| x | y |\n|---|:--|\n| 1 | 2 |\n", "Markdown"), ("@RELATION iris\n@DATA\n0.1,a\n", "ARFF"),
             ("-- MySQL dump 10\nINSERT INTO e VALUES (1,2);\n", "a dump of a database"),
             ("digraph G { a -> b; b -> c; }\n", "Graphviz"), ("0: 1 2\n1: 0,2\n2:\n", "-F'[:, "),
             ("1 2:5 3:4\n2 2:3\n", "svmlight"),
             ("12:\n1488,3,2005-09-06\n822,5,2005-05-13\n", "as Netflix published"))
for text, part in DOCUMENTS:
    refused([part], "graph", put("a.txt", text))
    refused([part], "labelled", "a.txt", "--text", "1", "--label", "2")
made(["is JSON, a record a line"], "text", put("a.json", DOCUMENTS[7][0]))
made(["3 columns"], "table", put("t.csv", "".join(f"{i % 2} {i % 9}:1{i % 5} {i}\n" for i in range(40))), "--target", "1")
refused(["packed by gzip; unpack it first"], "text", "packed.gz")
refused(["Matrix Market file of form array"], "graph", put("array.mtx", "%%MatrixMarket matrix array real general\n2 2\n1\n0\n0\n1\n"))
refused(["entries, its size line says"], "graph", put("short.mtx", mtx.format("pattern", N, N, E + 1) + lines(one, " ")))
refused(["a matrix of 4 x 5"], "graph", put("wide.mtx", mtx.format("pattern", 4, 5, 1) + "1 5\n"))
refused(["is bipartite"], "graph", put("out.bip", "% bip unweighted\n1 1\n1 2\n2 1\n"))
refused(["a no-break space in it (U+00A0)"], "graph", put("nbsp.txt", "1\u00a0 2\n2 3\n3 4\n"))
refused(["ARFF"], "table", put("a.arff", "% c\n@relation x\n@data\n1,2\n"), "--target", "1")

# ---- ids that are names, or far apart
put("names.csv", "source,target,since\n" + "".join(f'"{NAMES[a]}","{NAMES[b]}",19{a:02}\n' for a, b in EDGES))
put("moods.csv", "name;label\r\n" + "".join(f'{NAMES[i]};{"red green blue".split()[i % 3]}\r\n' for i in range(N)))
made(["ids are names", "the names blue, green, red", f"{N} nodes, {E} edges"], "graph", "names.csv", "--labels", "moods.csv")
made(["far apart", f"{N} nodes, {E} edges"], "graph", put("gaps.txt", lines([(a * 99991 + 7, b * 99991 + 7) for a, b in EDGES])))
made(["far apart"], "graph", put("flakes.txt", lines([(a + 10**18, b + 10**18) for a, b in EDGES])))
refused(["'x' is no target node"], "graph", put("slip.txt", lines(EDGES) + "3\tx\n"))
made([f"{N + 1} nodes"], "graph", "slip.txt", "--ids", "names")
refused(["'Bob' is the name of no node"], "graph", "names.csv", "--train", put("train.txt", "José\nBob\n"))
refused(["'Ada\\u00A0' has a no-break space"], "graph", put("nbname.csv", "Ada\u00a0,Bob\nBob,Cid\nCid,Dan\n"))

# ---- labels
LABELS = (([0, 1, 2], "3 classes", "note"), ([1, 2, 3], "the names 1, 2, 3", None), ([0, 2, 5], "the names 0, 2, 5", None),
          ([-1, 1, -1], "the names -1, 1", None), ([0, 1, -1], "13 nodes without a label", "names"),
          ([0, 1, ""], "13 nodes without a label", "names"), (["0.0", "1.0", "nan"], "13 nodes without a label", "names"),
          (["spam", "ham", "spam"], "the names ham, spam", None), (["x", "y", "NA"], "13 nodes without a label", "NA,"),
          (["x", "y", "null"], "the names x, y", None))
for values, part, gone in LABELS:
    made([part], "graph", "plain.txt", "--labels", put("l.csv", lines([(i, values[i % 3]) for i in range(N)], ",")),
         gone=[gone] if gone else [])
refused(["different labels", "are they classes?"], "graph", put("path.txt", lines([(i, i + 1) for i in range(149)])), "--labels",
        put("real.csv", lines([(i, i / 7) for i in range(150)], ",")))
refused(["40 different labels of 40"], "graph", "plain.txt", "--labels", put("l.csv", lines([(i, i / 7) for i in range(N)], ",")))
made(["a label a line, of the nodes in order", "3 classes"], "graph", "plain.txt", "--labels", put("l.txt", "".join(f"{i % 3}\n" for i in range(N))))
refused(["has 39 lines, expected one for each node"], "graph", "plain.txt", "--labels", put("l.txt", "1\n" * (N - 1)))
put("l.tsv", lines([(i, i % 2) for i in range(N)]))
WORDS = "Train dev TEST none training Validation testing unlabelled".split()
made(["(10 train, 10 valid, 10 test)"], "graph", "plain.txt", "--labels", "l.tsv", "--split",
     put("s.csv", "node,split\n" + lines([(i, WORDS[i % 8]) for i in range(N)], ",")))
for text, part in (("True\nFalse\n" * 20, "awk '/[Tt]rue/{print NR - 1}'"), ("1\n0\n" * 20, "if it is a mask"), ("0 1 2\n", "tr -s ' ,;"),
                   ("[0, 1, 2]\n", "tr -d '()[]'")):
    refused([part], "graph", "plain.txt", "--labels", "l.tsv", "--train", put("train.txt", text))
made(["1 of 2 classes have no node to train on"], "graph", "plain.txt", "--labels", "l.tsv", "--train", put("train.txt", "0\n2\n"))
made(["(24 train, 8 valid, 8 test)"], "graph", "plain.txt", "--labels", "l.tsv", "--valid-share", ".2", "--test-share", ".2")
first = digest()
made([], "graph", "plain.txt", "--labels", "l.tsv", "--valid-share", ".2", "--test-share", ".2", "--seed", 2)
check(digest() != first, "another seed, other parts")
made(["(10 train, 5 valid, 6 test)"], "graph", "plain.txt", "--labels", "l.tsv", "--per-class", 5, "--valid-count", 5, "--test-count", 6)
refused(["to validate and 1000 to test, but 30 are left"], "graph", "plain.txt", "--labels", "l.tsv", "--per-class", 5, code=64)

# ---- dense features: headers and indexes
F = [[i % 2, i % 3, i % 4] for i in range(N)]
made(["3 features", "header"], "graph", "plain.txt", "--features-dense", put("f.csv", "a,b,c\n" + lines(F, ",")))
first = digest()
made(["column 1 counts the lines"], "graph", "plain.txt", "--features-dense",
     put("f.csv", ",a,b,c\n" + lines([[i, *x] for i, x in enumerate(F)], ",")))
equal(digest(), first, "an index of pandas is no feature")
refused(["as pandas numbers columns", "--feature-header yes"], "graph", "plain.txt", "--features-dense", put("f.csv", "0,1,2\n" + lines(F, ",")))
made([], "graph", "plain.txt", "--features-dense", "f.csv", "--feature-header", "yes")
equal(digest(), first, "a header of pandas is no row")
refused(["the first column counts the rows", "--row-index yes"], "graph", "plain.txt", "--features-dense",
        put("f.csv", lines([[i, *x] for i, x in enumerate(F)], ",")))
made(["3 features"], "graph", "plain.txt", "--features-dense", "f.csv", "--row-index", "yes")
equal(digest(), first, "an index without a header is no feature")
mixed = random.sample(range(N), N)
made(["put into the order of column 1"], "graph", "plain.txt", "--features-dense",
     put("f.csv", "node_id,a,b,c\n" + lines([[i + 1, *F[i]] for i in mixed], ",")))
equal(digest(), first, "rows in another order")
for text, part in (("id,a\n0,1\n0,2\n", "there twice"), ("id,a\n10,1\n20,2\n", "out of the count"), (",a\nx,1\ny,2\n", "'x' stands where")):
    refused([part, "--row-index yes"], "graph", "plain.txt", "--features-dense", put("f.csv", text))
refused(["--features takes it"], "graph", "plain.txt", "--features-dense", "pattern.mtx")

# ---- tables and texts
R = [(random.random(), random.random(), "ab"[i % 2]) for i in range(40)]
CSV = "".join(f"{a:.3f},{b:.3f},{c}\n" for a, b, c in R)
TABLES = (("x,y,c\n" + CSV, "3 columns parted by commas, with a header"), ("sep=;\nx;y;c\n" + CSV.replace(",", ";"), "semicolons"),
          ("# made here\n# by us\nx,y,c\n" + CSV, "2 comment lines"), ("#x,y,c\n" + CSV, "with a header"),
          ("x|y|c\n" + CSV.replace(",", "|"), "pipes"), ("x   y c\n" + CSV.replace(",", "   "), "tabs or spaces"),
          (",x,y,c\n" + "".join(f"{i},{x}\n" for i, x in enumerate(CSV.split())), "passed over: column '1'"),
          ("Unnamed: 0,x,y,c\n" + "".join(f"{i},{x}\n" for i, x in enumerate(CSV.split())), "passed over: column 'Unnamed: 0'"))
for text, part in TABLES:
    made([part, "2 columns of numbers, 0 of categories"], "table", put("t.csv", text), "--target", "c")
made(["gzip"], "table", put("t.csv.gz", gzip.compress(TABLES[0][0].encode())), "--target", "c")
refused(["'0,", "has a decimal comma"], "table", put("t.csv", ("x;y;c\n" + CSV.replace(",", ";")).replace(".", ",")), "--target", "c")
refused(["as pandas numbers columns", "--header yes"], "table", put("t.csv", "0,1,2\n" + CSV), "--target", "3")
made([], "table", "t.csv", "--target", "3", "--header", "yes")
for value, part in (("1,{}00.5", "commas that part thousands"), ("{}.000.000,5", "points that part thousands"), ("{}5%", "a percent sign"),
                    ("${}.5", "a currency sign"), ("\u2212{}.5", "U+2212"), ("={}5", None), ("=\"\"{}\"\"", "a formula"), ("'{}5", "a quote"),
                    ("1,{}00", "a decimal comma, or one that parts thousands"), ("2{}:30", None)):
    words = "table", put("t.csv", "x,y,c\n" + "".join('"' + value.format(i % 7 + 1) + f'",{i % 5},{"ab"[i % 2]}\n' for i in range(40))), "--target", "c"
    if part:
        refused([part, "--kind 'x=category'"], *words)
        made(["1 of categories"], *words, "--kind", "x=category")
    else:
        made(["1 of categories"], *words)
refused(["R writes them"], "table", put("t.txt", '"x" "c"\n' + lines([(f'"{i}"', i / 7, "ab"[i % 2]) for i in range(20)], " ")), "--target", "c")
refused(["end with a separator"], "table", put("t.csv", "x,c\n" + "1,a,\n2,b,\n" * 9), "--target", "c")
refused(["line 2 has it"], "table", put("t.csv", "Report,\nx,c\n" + "1,a\n2,b\n" * 9), "--target", "c", code=64)
refused(["fields are parted by"], "table", put("t.csv", "x^c\n" + "1^a\n2^b\n" * 9), "--target", "c", code=64)
made(["class a: 20 ", "class b: 20 "], "labelled", put("t.csv", "text,label\n" + "one text,a\nmore text,b \n" * 20), "--text", "text", "--label", "label")
refused(["40 different labels of 40", "--real"], "labelled", put("t.csv", "text,label\n" + "".join(f"a text,{i / 7}\n" for i in range(40))),
        "--text", "text", "--label", "label")
made([], "labelled", "t.csv", "--text", "text", "--label", "label", "--real")
put("mark.txt", b"\xef\xbb\xbf" + "one line of text\n".encode() * 20)
put("joined.txt", open("mark.txt", "rb").read() * 2)
made(["left out: 3 byte order marks"], "text", "mark.txt", "joined.txt")
check("\\uFEFF" not in run("inspect", "out.h5").out, "no mark is a token")
made(["which unit byte keeps as bytes"], "text", "mark.txt", "--unit", "byte")

# ---- users and items
RATINGS = [(u * 7, i * 10, random.randint(1, 5), 978300000 + random.randint(0, 10**6))
           for u in range(1, 31) for i in random.sample(range(1, 60), 10)]
PAIRS = (("r.dat", lines(RATINGS, "::"), "user, item, rating, time"),
         ("r.csv", "userId,movieId,rating,timestamp\n" + lines(RATINGS, ","), "user, item, rating, time"),
         ("u.data", lines(RATINGS), "user, item, rating, time"),
         ("t.csv", "timestamp,item_id,user_id\n" + lines([(t, i, u) for u, i, _, t in RATINGS], ","), "user, item, time"),
         ("t.txt", lines([(u, i, t) for u, i, _, t in RATINGS]), "user, item, time"),
         ("p.txt", lines([(u, i) for u, i, _, _ in RATINGS]), "user, item"),
         ("out.bip", "% bip weighted\n" + lines(RATINGS, " "), "user, item, rating, time"))
for name, text, part in PAIRS:
    made([part, "30 users", "240 interactions for training, 60 to be found", "ids are names"], "interactions", put(name, text))
made(["passed over", "whose rating is below 4"], "interactions", "r.csv", "--threshold", 4)
made(["60 to be found"], "interactions", "r.csv", "--split", "time")
refused(["has no times"], "interactions", "p.txt", "--split", "time")
refused(["--threshold is about ratings"], "interactions", "p.txt", "--threshold", 3)
refused(["ragged.txt:3", "--threshold is about ratings"], "interactions",
        put("ragged.txt", "1 2 5\n1 3 4\n2 3\n2 4 5\n"), "--threshold", 3)
made(["30 users", "to be found"], "interactions", put("lists.txt", "".join(f"user{u} " + " ".join(f"item{(u + k) % 9}" for k in range(5)) + "\n" for u in range(30))))
made(["user, item, rating", "240 interactions for training"], "interactions",
     put("gap.csv", "user,item,rating\n" + lines([(u, i, "" if t == RATINGS[3][3] else r) for u, i, r, t in RATINGS], ",")))
made(["with a rating of 0 or less count as well; --threshold 1 "], "interactions",
     put("ctr.csv", "user,item,label\n" + lines([(u, i, r % 2) for u, i, r, _ in RATINGS], ",")))
refused(["is no finite number", "--columns"], "interactions", put("plays.tsv", lines([(f"u{u}", i, f"artist {i}", r) for u, i, r, _ in RATINGS])))
made(["rating"], "interactions", "plays.tsv", "--columns", "1,2,4")
refused(["a matrix, an item a column?", "--format lists"], "interactions", put("matrix.csv", lines([[u % 2, u % 3, 0, 0, 1, 1, u % 5] for u in range(30)], ",")))
refused(["names columns"], "interactions", put("lists.inter", "user_id:token\titem_id_list:token_seq\n" + "".join(
    f"{u}\t{' '.join(str((u + k) % 9) for k in range(3 + u % 4))}\n" for u in range(30))))
put("pairs/train.txt", "0 1 2\n1 0\n2 1 3\n")
made(["2 users with nothing to find"], "interactions", "--train", "pairs/train.txt", "--test", put("pairs/test.txt", "0 3\n1\n\n"))

# ---- data sets as they are published, each trained on at once
def trained(kind, more=""):
    put("c.yaml", f"data: {{path: out.h5}}\nmodel: {{kind: {kind}, layers: 2, width: 8{more}}}\n"
                  + ("" if kind == "gcn" else "batch: {size: 8}\n") +
                  "train: {steps: 2}\nschedule: {name: constant, warmup_steps: 0}\neval: {every: 2}\n")
    shutil.rmtree("runs", ignore_errors=True)
    result = run("train", "c.yaml")
    good(result, f"training {kind}")
    result = run("predict", "runs/c", "-o", "p.tsv")
    good(result, f"predicting {kind}")
    with open("p.tsv", encoding="utf-8") as file:
        rows = [row.rstrip("\n").split("\t") for row in file]
    os.remove("p.tsv")
    return rows


SPLIT = ["--valid-share", ".2", "--test-share", ".2", "--identity-features"]
put("l3.tsv", lines([(i, i % 3) for i in range(N)]))
made([f"{N} nodes, {E} edges"], "graph", "snap.txt", "--labels", "l3.tsv", *SPLIT)
equal(len(trained("gcn")), N + 1, "a row a node")
put("konect/out.net", open("out.konect", "rb").read())
put("konect/meta.net", "name: net\n")
put("konect/labels.tsv", lines([(i + 1, "xyz"[i % 3]) for i in range(N)]))
made(["KONECT (sym unweighted)", "passed over: meta.net"], "graph", "konect", "--base", "1", *SPLIT)
trained("gcn")
made(["Matrix Market"], "graph", "pattern.mtx", "--labels", "labels1.tsv", "--base", "1", *SPLIT)
trained("gcn")
made(["ids are names"], "graph", "names.csv", "--labels", "moods.csv", *SPLIT)
rows = trained("gcn")
equal(rows[0][-1], "name", "predictions of nodes with names")
equal(sorted(row[-1] for row in rows[1:]), sorted(NAMES), "the names of the nodes")
put("cora/cora.content", "".join(f"p{i}\t{i % 2}\t{i % 3}\t{'AB'[i % 2]}\n" for i in range(N)))
put("cora/cora.cites", "".join(f"p{a}\tp{b}\n" for a, b in EDGES) + "p1\tgone\n")
made(["passed over: 1 edge with", "the names A, B", "2 sparse features"], "graph", "cora", *SPLIT[:-1])
trained("gcn")
refused(["--identity-features are instead of 'cora/cora.content'"], "graph", "cora", *SPLIT, code=64)
refused(["Python pickles", ".content"], "graph", os.path.dirname(put("planetoid/ind.cora.graph", b"\x80\2x")))
gz = lambda name, rows: put(name, gzip.compress(lines(rows, ",").encode()))
gz("ogbn/raw/edge.csv.gz", EDGES), gz("ogbn/raw/num-node-list.csv.gz", [[N]]), gz("ogbn/raw/node-feat.csv.gz", F)
gz("ogbn/raw/node-label.csv.gz", [[i % 3] for i in range(N)])
for part, ids in (("train", range(20)), ("valid", range(20, 30)), ("test", range(30, N))):
    gz(f"ogbn/split/time/{part}.csv.gz", [[i] for i in ids])
made([f"{N} nodes, {E} edges both ways, 3 features, 3 classes, 1 split (20 train, 10 valid, 10 test)"], "graph", "ogbn")
trained("gcn")

sizes = [3 + g % 4 for g in range(30)]
starts = [sum(sizes[:g]) for g in range(30)]
ring = [[(i, (i + 1) % n) for i in range(n)] for n in sizes]
put("tu/DS/DS_A.txt", "".join(f"{s + a + 1}, {s + b + 1}\n{s + b + 1}, {s + a + 1}\n" for s, r in zip(starts, ring) for a, b in r))
put("tu/DS/DS_graph_indicator.txt", "".join(f"{g + 1}\n" * n for g, n in enumerate(sizes)))
put("tu/DS/DS_graph_labels.txt", "".join(f"{1 if g % 3 else -1}\n" for g in range(30)))
put("tu/DS/DS_node_labels.txt", "".join(f"{(3, 5, 9)[i % 3]}\n" for i in range(sum(sizes))))
made(["the 2 classes have the names -1, 1", "no folds: 10 are dealt", f"30 graphs, {sum(sizes)} nodes, {sum(sizes)} edges both ways, 3 features"],
     "graphs", "tu/DS")
rows = trained("gin", ", readout: sum")
equal({row[4] for row in rows[1:]} <= {"-1", "1"}, True, "classes by their names")
refused(["two data sets in one folder?"], "graphs", os.path.dirname(shutil.copytree("tu/DS", "tu2/DS") and put("tu2/DS/XX_A.txt", "1, 2\n")), code=64)
gz("ogbg/raw/edge.csv.gz", [e for r in ring for e in r]), gz("ogbg/raw/num-node-list.csv.gz", [[n] for n in sizes])
gz("ogbg/raw/num-edge-list.csv.gz", [[n] for n in sizes]), gz("ogbg/raw/graph-label.csv.gz", [[g % 2] for g in range(30)])
gz("ogbg/raw/node-feat.csv.gz", [[i % 5, i % 7] for i in range(sum(sizes))])
for part, ids in (("train", range(20)), ("valid", range(20, 25)), ("test", range(25, 30))):
    gz(f"ogbg/split/scaffold/{part}.csv.gz", [[i] for i in ids])
made([f"30 graphs, {sum(sizes)} nodes, {sum(sizes)} edges both ways, 2 features, 2 classes, 3 folds"], "graphs", "ogbg")
trained("gin", ", readout: sum")

made(["60 to be found"], "interactions", "r.dat")
rows = trained("lightgcn")
equal(rows[0][-2:], ["user_name", "item_name"], "recommendations have names")
equal(rows[1][3], "7", "the first user's own number")
put("sheet.csv", b"\xef\xbb\xbf" + "Text;Laune\r\n".encode() + "".join(
    f'"schön; Nr. {i}";{("gut", "schlecht")[i % 2]}\r\n' for i in range(40)).encode())
made(["parted by semicolons", "a byte order mark", "class gut: 20", "class schlecht: 20"], "labelled", "sheet.csv", "--text", "Text", "--label", "Laune")
equal(len(trained("encoder", ", heads: 2, context: 8")), 41, "a row a text")

os.chdir("/")
shutil.rmtree(folder)
finish()
