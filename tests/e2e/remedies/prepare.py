"""Remedies of `trireme prepare` for texts, graphs, sets of graphs, interactions and shops."""
import gzip

from remedies.rows import Table

TABLE = Table("prepare ")
row, file = TABLE.row, TABLE.file

# ---- files that are no tables
file("e.txt", "".join(f"{i}\t{(i + 1) % 9}\n" for i in range(9)))
PLAIN = "graph e.txt"
file("e.gz", gzip.compress("".join(f"{i * i % 997}\t{i * 31 % 991}\n" for i in range(999)).encode(), mtime=0)[:2000])
file("damaged.gz", gzip.compress(TABLE.files["e.txt"].encode())[:30] + b"\xff" * 30)
row("the gzip file ends too early; copy or download it again", "graph e.gz", PLAIN)
row("the gzip file is damaged (%s); copy or download it again", "graph damaged.gz", PLAIN)
file("text.txt.gz", gzip.compress(b"some words\n" * 50))
file("text.txt", "some words\n" * 50)
row("is packed by gzip; unpack it first (gunzip)", "text text.txt.gz", "text text.txt")
file("utf16.txt", "0\t1\n1\t2\n2\t0\n".encode("utf-16"))
row("is %s; convert it (iconv -f %s -t UTF-8)", "graph utf16.txt", PLAIN)
for name, content, says in (
        ("a.npy", b"\x93NUMPY\1\0", "write it as text: numpy.savetxt"),
        ("a.parquet", b"PAR1\0\0", "write it as text: pandas.read_parquet"),
        ("a.feather", b"ARROW1\0\0", "write it as text: pandas.read_feather"),
        ("a.db", b"SQLite format 3\0", "write its table as text: sqlite3 -csv"),
        ("a.pkl", b"\x80\4\x95.", "write what is in it as text, with Python"),
        ("a.nc", b"CDF\1", "write its tables as text (CSV or TSV)"),
        ("a.zip", b"PK\3\4", "unpack it first (unzip)"),
        ("a.mat", b"MATLAB 5.0 MAT-file", "write its tables as text: writematrix"),
        ("a.pdf", b"%PDF-1.4", "save its text or its table as a text file"),
        ("a.png", b"\x89PNG\r\n\x1a\n", "images are prepared by trireme prepare images"),
        ("a.gif", b"GIF89a", "images are prepared by trireme prepare images, from PNG or JPEG"),
        ("a.rtf", b"{\\rtf1", "save it as plain text"),
        ("a.lfs", b"version https://git-lfs.github.com/spec/v1\noid 1\n", "fetch the file (git lfs pull)"),
        ("a.html", b"<!doctype HTML><p>", "a download has gone wrong; fetch the file itself"),
        ("a.bz2", b"BZh91AY", "unpack it first (")):
    file(name, content)
    row(says, f"graph {name}", PLAIN)

# ---- edges
file("weights.txt", "0\t1\t0.5\n1\t2\n2\t0\t1\n")
row("the edge %lld %lld has %s weight, the lines before have %s; give all edges one, or none", "graph weights.txt",
    PLAIN)
file("neg.txt", "0\t1\t-1\n1\t2\t1\n2\t0\t1\n")
row("weight %g is negative; --columns 1,2 leaves weights out", "graph neg.txt", "graph neg.txt --columns 1,2")
file("sized.txt", "9 9\n" + TABLE.files["e.txt"].replace("\t", " "))
row("a size line? --header yes passes over it, --header no takes it", "graph sized.txt", "graph sized.txt --header yes")
row("a size line? --header yes passes over it, --header no takes it", "graph sized.txt",
    "graph sized.txt --header no --nodes 10")
file("sized3.txt", "9 9 9\n" + TABLE.files["e.txt"].replace("\t", " "))
row("if it is a size or a title, --header yes passes over it, --header no takes it as a line like others",
    "graph sized3.txt", "graph sized3.txt --header yes")
row("if it is a size or a title, --header yes passes over it, --header no takes it as a line like others",
    "graph sized3.txt", "graph sized3.txt --header no", "give all edges one, or none")
file("times.txt", "".join(f"{i}\t{(i + 1) % 9}\t1082040961\n" for i in range(9)))
for columns in ("1,2", "1,2,3"):
    row("looks like times; --columns 1,2 leaves it out, --columns 1,2,3 takes it as weights", "graph times.txt",
        f"graph times.txt --columns {columns}")
file("four.csv", "".join(f"{i},{(i + 1) % 9},1,2\n" for i in range(9)))
row("fields (%s), a line is %s; tell the columns by %s", "graph four.csv", "graph four.csv --columns 1,2,3")
MTX = "%%MatrixMarket matrix coordinate pattern general\n9 9 {}\n" + "".join(
    f"{i + 1} {(i + 1) % 9 + 1}\n" for i in range(9))
file("short.mtx", MTX.format(12))
file("whole.mtx", MTX.format(9))
row("entries, its size line says %lld; copy or download it again", "graph short.mtx", "graph whole.mtx")
file("array.mtx", "%%MatrixMarket matrix array real general\n2 2\n1\n0\n0\n1\n")
row("which lists every entry of a dense matrix; write it in form coordinate", "graph array.mtx", "graph whole.mtx")
file("labels1.tsv", "".join(f"{i + 1}\t{i % 3}\n" for i in range(9)))
for base in "01":
    row("counts nodes from 1, as its head says; whether '%s' does is told by --base 1 or --base 0",
        "graph whole.mtx --labels labels1.tsv", f"graph whole.mtx --labels labels1.tsv --base {base}",
        None if base == "1" else "node 9")
file("one.txt", "".join(f"{i + 1}\t{(i + 1) % 9 + 1}\n" for i in range(9)))
for base in "01":
    row("if ids count from 1 give --base 1, and --base 0 if there is a node 0 without edges", "graph one.txt",
        f"graph one.txt --base {base}")
file("zeros.txt", "".join(f"{i:03d}\t{(i + 1) % 9:03d}\n" for i in range(9)))
row("note: ids begin with zeros, which numbers lose; --ids names keeps them", "graph zeros.txt", "graph zeros.txt --ids names")
file("far.txt", "0\t1\n1\t2\n2\t90000000\n")
row("ids are far apart, so they are taken as names of nodes (--ids numbers takes them as they are)", "graph far.txt",
    "graph far.txt --ids numbers", "number nodes from 0 without gaps, or take the ids as names (--ids names)")
row("node %lld, but only %lld lines; number nodes from 0 without gaps, or take the ids as names",
    "graph far.txt --ids numbers", "graph far.txt --ids names")
row("node %lld, but only %lld lines; number nodes from 0 without gaps, or take the ids as names",
    "graph far.txt --ids numbers", PLAIN)
file("konect/out.x", "% bip unweighted\n% 3 3 3\n1 1\n2 2\n3 3\n")
file("lists.txt", "".join(f"{u} {u} {(u + 1) % 9}\n" for u in range(9)))
row("is bipartite (%s), its two sorts of ids overlap; trireme prepare interactions takes users and items",
    "graph konect", "interactions konect/out.x")

# ---- features and labels of nodes
file("dense9.csv", "".join(f"{i}.5,2\n" for i in range(9)))
file("index9.csv", "".join(f"{i},{i}.5,2\n" for i in range(9)))
file("wide9.csv", "".join(f"{i}.5,2,1,0\n" for i in range(9)))
file("pandas9.csv", "0,1,2,3\n" + TABLE.files["wide9.csv"])
row("has %lld rows, expected one for each of the nodes (--nodes", "graph e.txt --features-dense dense9.csv --nodes 12",
    "graph e.txt --features-dense dense9.csv --nodes 9")
for answer in ("yes", "no"):
    row("--row-index yes passes over it, --row-index no takes it as a feature", "graph e.txt --features-dense index9.csv",
        f"graph e.txt --features-dense index9.csv --row-index {answer}")
row("as pandas numbers columns; --feature-header yes takes it for names, --feature-header no for values",
    "graph e.txt --features-dense pandas9.csv", "graph e.txt --features-dense pandas9.csv --feature-header yes")
row("as pandas numbers columns; --feature-header yes takes it for names, --feature-header no for values",
    "graph e.txt --features-dense pandas9.csv",
    "graph e.txt --features-dense pandas9.csv --feature-header no --nodes 10")
file("titled9.csv", "a,b\n" + TABLE.files["dense9.csv"])
file("two_rows.csv", "n0,1\nn1,2\nn0,3\nn2,4\n")
file("one_row.csv", "n0,1\nn1,2\nn2,4\n")
file("named.txt", "n0\tn1\nn1\tn2\nn2\tn0\n")
row("node %s has two rows; leave one out", "graph named.txt --features-dense two_rows.csv",
    "graph named.txt --features-dense one_row.csv")
file("sparse9.tsv", "".join(f"{i}\t{i % 3}\t1\n" for i in range(9)))
file("feature1.tsv", "".join(f"{i}\t{i % 3 + 1}\t1\n" for i in range(9)))
for base in "01":
    row("--feature-base 1 takes them so, --feature-base 0 says that they count from 0", "graph e.txt --features feature1.tsv",
        f"graph e.txt --features feature1.tsv --feature-base {base}")
file("total9.csv", ",x\n" + "".join(f"{i},{i}.5\n" for i in range(8)) + "total,2\n")
file("again9.csv", ",x\n" + "".join(f"{min(i, 7)},{i}.5\n" for i in range(9)))
file("count9.csv", ",x\n" + "".join(f"{i},{i}.5\n" for i in range(9)))
for name, says in (("total9", "rows are the nodes 0, 1, 2 ... in order: --row-index yes passes over the column"),
                   ("again9", "rows are the nodes 0, 1, 2 ... in order, and --row-index yes passes over the column")):
    for fix in ("count9.csv", f"{name}.csv --row-index yes"):
        row(says, f"graph e.txt --features-dense {name}.csv", "graph e.txt --features-dense " + fix)
file("entries.mtx", "%%MatrixMarket matrix coordinate real general\n9 3 9\n" + "".join(f"{i + 1} {i % 3 + 1} 1\n" for i in range(9)))
row("is a Matrix Market file of entries; --features takes it", "graph e.txt --features-dense entries.mtx", "graph e.txt --features entries.mtx")
file("gaps.tsv", "0\t90000000\t1\n1\t0\t1\n")
file("twice.tsv", "0\t1\t1\n0\t1\t2\n1\t0\t1\n")
file("unsorted.tsv", "1\t0\t1\n0\t1\t1\n")
row("a feature %lld, but only %lld values; number the features from 0 without gaps", "graph e.txt --features gaps.tsv",
    "graph e.txt --features sparse9.tsv")
row("row %lld has feature %lld twice; leave one out", "graph e.txt --features twice.tsv",
    "graph e.txt --features sparse9.tsv")
row("sort the lines by row, then feature (sort -n -k1,1 -k2,2)", "graph e.txt --features unsorted.tsv",
    "graph e.txt --features sparse9.tsv")
file("twice_named.tsv", "n0\t1\t1\nn1\t1\t1\nn0\t1\t2\n")
file("sparse_named.tsv", "n0\t1\t1\nn1\t1\t1\nn0\t0\t2\n")
row("a row has feature %d twice; leave one out", "graph named.txt --features twice_named.tsv",
    "graph named.txt --features sparse_named.tsv")
file("labels9.tsv", "".join(f"{i}\t{i % 3}\n" for i in range(9)))
LABELLED = "graph e.txt --labels labels9.tsv"
file("listed.tsv", TABLE.files["labels9.tsv"] + "3\t1\n")
row("is listed twice, first with %s %s; leave one out", "graph e.txt --labels listed.tsv", LABELLED)
file("classes3.tsv", "0\tred\n1\tgreen\n2\tblue\n")
file("classes_gap.tsv", "0\tred\n1\tgreen\n2\tblue\n9\tgrey\n")
file("classes_high.tsv", "0\tred\n99999999999\tgreen\n")
NAMED = LABELLED + " --classes-file classes3.tsv"
row("class %lld is named, but not all below it; number classes from 0 without gaps",
    LABELLED + " --classes-file classes_gap.tsv", NAMED)
row("too high; number classes from 0", LABELLED + " --classes-file classes_high.tsv", NAMED)
file("labels_high.tsv", "".join(f"{i}\t{i * 20000000}\n" for i in range(9)))
row("class %lld of %lld labels; number classes from 0 without gaps",
    "graph e.txt --labels labels_high.tsv --classes-file classes3.tsv", NAMED)
file("labels8.tsv", TABLE.files["labels9.tsv"][:-4])
for part, nodes in (("train", "0\n1\n"), ("valid", "2\n3\n"), ("test", "4\n5\n"), ("overlap", "1\n2\n"), ("last", "8\n")):
    file(f"{part}9.txt", nodes)
row("is in %s already; train, valid and test must not overlap", LABELLED + " --train train9.txt --valid overlap9.txt",
    LABELLED + " --train train9.txt --valid valid9.txt")
row("is in %s, but has no label; label it, or leave it out",
    "graph e.txt --labels labels8.tsv --train train9.txt --valid last9.txt", LABELLED + " --train train9.txt --valid last9.txt")
row("is in %s, but has no label; label it, or leave it out",
    "graph e.txt --labels labels8.tsv --train train9.txt --valid last9.txt",
    "graph e.txt --labels labels8.tsv --train train9.txt --valid valid9.txt")
file("split9.tsv", "0\ttrain\n1\tval\n2\ttest\n")
row("features are sparse ('%s') or dense ('%s'), give one of them",
    "graph e.txt --features sparse9.tsv --features-dense dense9.csv", "graph e.txt --features sparse9.tsv")
row("splits come from files of splits ('%s') or from lists of nodes ('%s'), give one of them",
    LABELLED + " --split split9.tsv --train train9.txt", LABELLED + " --split split9.tsv")
row("splits come from files ('%s') or are dealt (--valid-share, --test-share, --per-class), not both",
    LABELLED + " --train train9.txt --valid-share 0.3", LABELLED + " --valid-share 0.4 --test-share 0.3")
row("--identity-features are instead of '%s'; leave one out", "graph e.txt --features sparse9.tsv --identity-features",
    "graph e.txt --identity-features")
row("--row-index is '%s', expected yes or no", "graph e.txt --features-dense index9.csv --row-index maybe",
    "graph e.txt --features-dense index9.csv --row-index no")
row("--per-class is %lld, but class %d has %lld nodes", LABELLED + " --per-class 5", LABELLED
    + " --per-class 1 --valid-count 2 --test-count 2")
row("are left of those with a label; give fewer (--valid-count, --test-count)", LABELLED + " --per-class 1",
    LABELLED + " --per-class 1 --valid-count 2 --test-count 2")
file("latin.txt", "n0\tJos\xe9\nn1\tn0\n".encode("latin-1"))
file("utf8.txt", "n0\tJos\xe9\nn1\tn0\n")
row("%s '%s' is no UTF-8; convert the file (iconv -f LATIN1 -t UTF-8)", "graph latin.txt --ids names",
    "graph utf8.txt --ids names")
file("comma.csv", "0;1;0,5\n1;2;0,5\n")
file("point.csv", "0;1;0.5\n1;2;0.5\n")
row("write points, as in 1.5", "graph comma.csv", "graph point.csv")
file("infinite.txt", "0 1 0.5\n1 2 inf\n2 0 1\n")
file("finite.txt", "0 1 0.5\n1 2 7\n2 0 1\n")
NOT_FINITE = "%s '%s' is no finite number; correct it, or %s%s"
row(NOT_FINITE, "graph infinite.txt", "graph finite.txt")
row("tell the columns that are meant by ", "graph infinite.txt", "graph infinite.txt --columns 1,2")
file("word9.csv", "a,b\n" + "".join(f"{i * i if i != 4 else 'four'},2\n" for i in range(9)))
file("number9.csv", "a,b\n" + "".join(f"{i * i},2\n" for i in range(9)))
row(NOT_FINITE, "graph e.txt --features-dense word9.csv", "graph e.txt --features-dense number9.csv")
file("hidden.txt", "0\t1\n1\u00a0\t2\n")
row("has %s in it (U+%04X); remove it", "graph hidden.txt", PLAIN)
file("nothing.txt", "")
row("is empty; leave it out, or make it again", "graph nothing.txt", PLAIN)
row("expected tab, comma, semicolon, pipe, colons or blanks", PLAIN + " --separator dots",
    PLAIN + " --separator tab")
file("coo/ind.cora.graph", b"\x80\2].")
file("coo2/cora.content", "".join(f"p{i}\t1\t0\tc{i % 2}\n" for i in range(9)))
file("coo2/cora.cites", "".join(f"p{i}\tp{(i + 1) % 9}\n" for i in range(9)))
row("take NAME.content and NAME.cites, which are text", "graph coo", "graph coo2")
file("parts/edges.tsv", TABLE.files["e.txt"])
file("parts/labels.tsv", TABLE.files["labels9.tsv"])
file("parts/val.txt", "2\n3\n")
file("parts/mytrain.txt", "0\n1\n")
row("but no train.txt; name the file by --train", "graph parts", "graph parts --train parts/mytrain.txt")
file("bare/labels.tsv", TABLE.files["labels9.tsv"])
row("has no %s, which %s needs; name the file by %s", "graph bare", "graph bare --edges e.txt")
row("%s; --no-edges takes nodes without any", "graph bare", "graph bare --no-edges", "no table says how many nodes there are; give --nodes N")
row("no table says how many nodes there are; give --nodes N", "graph bare --no-edges", "graph bare --no-edges --nodes 9")
row("edges ('%s') or --no-edges, give one of them", "graph bare --edges e.txt --no-edges", "graph bare --edges e.txt")
row("edges ('%s') or --no-edges, give one of them", "graph bare --edges e.txt --no-edges", "graph bare --no-edges --nodes 9")
file("whole.yaml", "data: {path: p0.h5}\nmodel: {kind: gcn, layers: 2, width: 8}\nbatch: {blocks: 2}\ntrain: {steps: 4}\n")
file("sets.yaml", "data: {path: s0.h5}\nmodel: {kind: gin, layers: 2, width: 8, readout: sum}\nbatch: {size: 4, blocks: 2}\ntrain: {steps: 4}\n")
PARTS = LABELLED + " --identity-features"
for number, fix in enumerate(("--valid-share 0.4 --test-share 0.3", "--per-class 1 --valid-count 2 --test-count 2",
                              "--train train9.txt --valid valid9.txt --test test9.txt", "--split split9.tsv"), 1):
    row("parts: --valid-share and --test-share, --per-class N, lists (--train, --valid, --test) or --split FILE",
        f"{PARTS} -o p{number}w.h5 && train whole.yaml -s data.path=p{number}w.h5", f"{PARTS} {fix} -o p{number}.h5 && train whole.yaml -s data.path=p{number}.h5")
row("%s: has no %s; prepare it with %s", f"{PARTS} -o p5w.h5 && train whole.yaml -s data.path=p5w.h5",
    PARTS + " --valid-share 0.4 -o p5.h5 && train whole.yaml -s data.path=p5.h5")
row("give a folder with %s, or %s FILE", "graph", "graph --edges e.txt")
row("'%s' is no folder; give the folder of the files, or name each by its option", "shop e.txt",
    "shop shops")
row("give the file to write by -o DATA.h5", "graph e.txt NO-o", PLAIN)

# ---- sets of graphs
file("set/nodes.tsv", "".join(f"{i}\t{i // 3}\t{i % 2}\n" for i in range(36)))
file("set/edges.tsv", "".join(f"{3 * g}\t{3 * g + 1}\n{3 * g + 1}\t{3 * g + 2}\n" for g in range(12)))
file("set/graph_labels.tsv", "".join(f"{g}\t{g % 2}\n" for g in range(12)))
SET = "graphs set"
FILES = "graphs --nodes-file set/nodes.tsv --edges set/edges.tsv --graph-labels set/graph_labels.tsv"
file("TU/TU_A.txt", "".join(f"{3 * g + 1}, {3 * g + 2}\n{3 * g + 2}, {3 * g + 3}\n" for g in range(24)))
file("TU/TU_graph_indicator.txt", "".join(f"{i // 3 + 1}\n" for i in range(72)))
file("TU/TU_graph_labels.txt", "".join(f"{g % 2}\n" for g in range(24)))
file("TU/TU_node_labels.txt", "".join(f"{i % 2}\n" for i in range(72)))
row("no folds: %d are dealt, class by class (--folds, --seed)", "graphs TU", "graphs TU --folds 3 --seed 2")
file("order.tsv", "0\t0\n2\t0\n1\t0\n")
row("list nodes in order from 0, each once (--base 1: from 1)", FILES.replace("set/nodes.tsv", "order.tsv"), FILES)
file("nodes1.tsv", "".join(f"{i + 1}\t{i // 3 + 1}\t{i % 2}\n" for i in range(36)))
file("edges1.tsv", "".join(f"{3 * g + 1}\t{3 * g + 2}\n{3 * g + 2}\t{3 * g + 3}\n" for g in range(12)))
file("glabels1.tsv", "".join(f"{g + 1}\t{g % 2}\n" for g in range(12)))
FROM1 = "graphs --nodes-file nodes1.tsv --edges edges1.tsv --graph-labels glabels1.tsv"
row("list nodes in order from 0, each once (--base 1: from 1)", FROM1, FROM1 + " --base 1")
file("some.tsv", "0\t0\t1\n1\t0\n2\t0\t1\n")
row("label, the nodes before have %s; give all nodes one, or none", FILES.replace("set/nodes.tsv", "some.tsv"), FILES)
file("nodes_gap.tsv", "".join(f"{i}\t{i // 3}\t{90000000 * (i % 2)}\n" for i in range(36)))
row("a node label %lld for %lld nodes; number node labels from 0 without gaps",
    FILES.replace("set/nodes.tsv", "nodes_gap.tsv"), FILES)
file("folds.tsv", "".join(f"{g}\t{g % 2}\n" for g in range(12)))
file("folds_gap.tsv", "".join(f"{g}\t{2 * (g % 2)}\n" for g in range(12)))
file("folds_few.tsv", "".join(f"{g}\t{g % 2}\n" for g in range(11)))
file("folds_twice.tsv", TABLE.files["folds.tsv"] + "3\t1\n")
file("folds_high.tsv", "".join(f"{g}\t{g % 2 * 70000000}\n" for g in range(12)))
row("no graph in fold %lld, the highest is %lld; number folds from 0 without gaps", SET + " --folds folds_gap.tsv",
    SET + " --folds folds.tsv")
row("graph %lld has no fold; every graph needs one", SET + " --folds folds_few.tsv", SET + " --folds folds.tsv")
row("is listed twice, first with %s %d; leave one out", SET + " --folds folds_twice.tsv", SET + " --folds folds.tsv")
row("too high; number from 0 without gaps", SET + " --folds folds_high.tsv", SET + " --folds folds.tsv")
row("--folds is %lld, but there are %lld graphs", SET + " --folds 20", SET + " --folds 4")
file("folds3.tsv", "".join(f"{g}\t{g % 3}\n" for g in range(12)))
for number, fix in enumerate(("3", "folds3.tsv"), 1):
    row("folds: --folds N or a file of them", f"{SET} -o s{number}w.h5 && train sets.yaml -s data.path=s{number}w.h5",
        f"{SET} --folds {fix} -o s{number}.h5 && train sets.yaml -s data.path=s{number}.h5")
file("plain_nodes.tsv", "".join(f"{i}\t{i // 3}\n" for i in range(36)))
BARE = FILES.replace("set/nodes.tsv", "plain_nodes.tsv")
row("so they would have no features; take their degrees (--degree-features)", BARE, BARE + " --degree-features")

# ---- interactions
LISTS = "interactions lists.txt"
file("no_items.txt", "0 1 2\n1\n2 0 1\n")
file("no_items2.txt", "0 1 2\n1 2 0\n2 0 1\n")
file("found.txt", "0 3\n1 3\n2 3\n")
TRAIN = "interactions --test found.txt --format lists --train "
for fix in ("two_users.txt", "no_items2.txt"):
    row("has no items; leave the line out, or give some", TRAIN + "no_items.txt", TRAIN + fix,
        "who is to be tested must be trained" if fix == "two_users.txt" else None)
file("two_users.txt", "0 1 2\n1 2 0\n")
file("two_lines.txt", "0 1 2\n1 2 0\n0 0\n2 0 1\n")
row("has a line already, line %lld; join them", TRAIN + "two_lines.txt", TRAIN + "no_items2.txt")
file("users_far.txt", "0 1 2\n1 2 0\n90000000 0 1\n")
file("users_gap.txt", "0 1 2\n1 2 0\n3 0 1\n4 1 2\n")
file("items_far.txt", "0 1 2\n1 2 0\n2 0 90000000\n")
for name, says in (("users_far", "user %lld, but only %lld lines; number users from 0 without gaps, or take the ids as names"),
                   ("users_gap", "user %lld has no line, but user %lld has; number users from 0 without gaps, or take"),
                   ("items_far", "item %lld, but only %lld interactions; number items from 0 without gaps, or take")):
    row(says, f"{TRAIN}{name}.txt", f"{TRAIN}{name}.txt --ids names")
    row(says, f"{TRAIN}{name}.txt", TRAIN + "no_items2.txt")
file("ratings.csv", "user,item,rating,time\n" + "".join(
    f"{u},{i},{1 + (u + i) % 5},{1000 * u + i}\n" for u in range(9) for i in range(6)))
file("pairs.csv", "user,item\n" + "".join(f"{u},{i}\n" for u in range(9) for i in range(6)))
file("odd.csv", "user,item,x,when\n" + "".join(f"{u},{i},3,{1000 * u + i}\n" for u in range(9) for i in range(6)))
row("has no times, by which --split time deals; name the column by --columns user,item,,time",
    "interactions odd.csv --split time --columns 1,2", "interactions odd.csv --split time --columns user,item,,when")
row("all ratings count, --threshold X takes those of X and more", "interactions ratings.csv",
    "interactions ratings.csv --threshold 3")
file("rated0.csv", "user,item,rating\n" + "".join(f"{u},{i},{(u + i) % 4}\n" for u in range(9) for i in range(6)))
row("with a rating of 0 or less count as well; --threshold %g passes them over", "interactions rated0.csv", "interactions rated0.csv --threshold 1")
file("from1.txt", "1 2 3\n2 3 1\n3 1 2\n")
for fix in ("--ids numbers --base 1", "--ids names"):
    row((", give --base 1 if they count from 1", "user %lld has no pair to train on, but user %d has; number users from 0 without gaps%s, or take"),
        "interactions from1.txt --format lists --ids numbers", "interactions from1.txt --format lists " + fix)
file("more_users.csv", "user,item\n0,9\n9,9\n")
row("and who is to be tested must be trained; leave it out, or take the ids as names (--ids names)",
    "interactions pairs.csv --test more_users.csv --ids numbers", "interactions pairs.csv --test more_users.csv --ids names")
file("matrix.csv", "".join(",".join(str(x) for x in (u % 2, u % 3, 0, 0, 1, 1, u % 5)) + "\n" for u in range(30)))
for fix in ("ratings.csv", "matrix.csv --format lists"):
    row("a matrix, an item a column? Write user, item and rating a line; --format lists takes lists of items", "interactions matrix.csv", "interactions " + fix)
row("--threshold is about ratings, and the line has none", "interactions pairs.csv --threshold 3",
    "interactions pairs.csv")
row(" with a rating that reaches --threshold", "interactions ratings.csv --threshold 30",
    "interactions ratings.csv --threshold 3")
file("late.csv", "user,item,rating,time\n0,1,3,soon\n0,2,3,later\n1,1,3,soon\n1,2,3,now\n")
row("is no number and no date like 2014-07-23 13:20:03; leave the column out by --columns", "interactions late.csv",
    "interactions late.csv --columns user,item,rating")
row("--split deals what is to be found, but '%s' tells it",
    "interactions --train no_items2.txt --test lists.txt --split time", "interactions --train no_items2.txt --split random")

# ---- texts
file("lines.txt", "a few words\n" * 40)
row("give the text files", "text", "text lines.txt")
file("bad.txt", b"abc \xe9t\xe9 " * 9)
row("convert the file to UTF-8 (iconv), or take unit byte, which takes any bytes", "text bad.txt",
    "text bad.txt --unit byte")
file("folder/a.txt", "words and words\n" * 9)
row("is a folder; name the files in it (%s/*.txt)", "text folder", "text folder/a.txt")
file("tiny.txt", "ab")
row("cannot be split into training and validation at share %g: each must have 2; give more text", "text tiny.txt",
    "text lines.txt")
file("many.idx", "Package: a\nVersion: 1\nDescription: " + "".join(chr(0x20000 + i) for i in range(70000)) + "\n\n")
row("distinct characters, at most %d can be tokens; take unit byte", "debian --index many.idx",
    "debian --index many.idx --unit byte")
file("one_line.txt", "all in one line " * 30)
row("the share for validation begins at a line; give text of more lines, or a file (--valid)",
    "text one_line.txt --unit word", "text lines.txt --unit word")
row("the share for validation begins at a line; give text of more lines, or a file (--valid)",
    "text one_line.txt --unit word", "text one_line.txt --unit word --valid lines.txt")
row("give what to prepare (%s) and -o DATA.h5; see trireme help prepare", "NO-o", "text lines.txt")
row("takes no %s, which is for %s; see trireme prepare %s --help", "text lines.txt --folds 3", "text --help NO-o")

# ---- shops
TIMES = "".join(f"c{i % 7}\tp{i % 5}\t{i}\n" for i in range(140))
file("shops/products.tsv", "product\tdescription\tkind\n" + "".join(f"p{i}\tword{i % 2} thing\ta\n" for i in range(5)))
file("shops/purchases.tsv", "customer\tproduct\ttime\n" + TIMES)
for name, text in (("mixed1", TIMES + "c1\tp1\t2011-12-09\n"), ("mixed2", "c1\tp1\t2011-12-09\n" + TIMES),
                   ("odd", TIMES + "c1\tp1\tsoon\n"), ("large", "".join(f"c{i % 7}\tp{i % 5}\t{1.3e9 + 86400 * i:.0f}\n" for i in range(140))),
                   ("seconds", "".join(f"c{i % 7}\tp{i % 5}\t{86400 * i}\n" for i in range(140)))):
    file(f"{name}.tsv", "customer\tproduct\ttime\n" + text)
    says = {"mixed1": "is a date, but the first time is a number; write all alike",
            "mixed2": "is a number, but the first time is a date; write all alike",
            "odd": "is neither a number nor a date; write 2011-12-09, 2011-12-09 10:15, or days as numbers",
            "large": "is too large for a number of days; of seconds say so (--time-unit second)",
            "seconds": "times run over %lld days, more than a century; of seconds say so (--time-unit second)"}[name]
    row(says, f"shop shops --purchases {name}.tsv",
        f"shop shops --purchases {name}.tsv --time-unit second" if name in ("large", "seconds") else "shop shops",
        None)
row("after that to test, day %<PRId64>; give an earlier --valid-from", "shop shops --valid-from 130 --test-from 120",
    "shop shops --valid-from 110 --test-from 120")
row("nothing was bought from --test-from '%s' on", "shop shops --test-from 900", "shop shops --test-from 120")
row("give later or shorter parts", "shop shops --valid-from 0 --test-from 100", "shop shops --valid-from 80 --test-from 100")
file("hole.tsv", "customer\tproduct\ttime\n" + "".join(
    f"c{i % 7}\tp{i % 5}\t{i if i < 70 else i + 100}\n" for i in range(140)))
row("nothing was bought in the part to validate, days %<PRId64> to %<PRId64>; give others, or --valid-days 0",
    "shop shops --purchases hole.tsv --valid-from 80 --test-from 120",
    "shop shops --purchases hole.tsv --valid-days 0")
file("once.tsv", "product\tdescription\n" + "".join(f"p{i}\tsole{i}\n" for i in range(5)))
row("give another --text or a lower --min-count", "shop shops --products once.tsv --min-count 3",
    "shop shops --products once.tsv --min-count 1")
file("joined.tsv", TABLE.files["shops/products.tsv"] + "p1\tagain\ta\n")
row("has a line already; join them", "shop shops --products joined.tsv", "shop shops")
row("--time-unit is '%s', expected day or second", "shop shops --time-unit week", "shop shops --time-unit day")
file("who.tsv", "customer\tcity\n" + "".join(f"c{i}\tx{i % 2}\n" for i in range(7)))
row("--customer-fields are of --customers, which is not given", "shop shops --customer-fields city",
    "shop shops --customers who.tsv --customer-fields city")
row("prepare shop: %s names '%s' twice", "shop shops --product-fields kind,kind", "shop shops --product-fields kind")
row("has so many rows; ids that count from 1: --base 1", "graph one.txt --features-dense dense9.csv",
    "graph one.txt --features-dense dense9.csv --base 1")
file("labels20.tsv", TABLE.files["labels9.tsv"] + "20\t1\n")
row("; --nodes says otherwise", "graph e.txt --labels labels20.tsv", "graph e.txt --labels labels20.tsv --nodes 21")

# ---- what does not go together
row("%s: --format is '%s', expected tables, konect, ogb or planetoid", "graph parts --format snap --train parts/mytrain.txt",
    "graph parts --format tables --train parts/mytrain.txt")
file("empty.zip", b"PK\5\6")
file("old.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
row("download or make it again", "graph empty.zip", PLAIN)
row("save it as CSV", "graph old.xls", PLAIN)
file("complex.mtx", "%%MatrixMarket matrix coordinate complex general\n9 9 1\n1 2 1 0\n")
row("read are coordinate with real, integer or pattern", "graph complex.mtx", "graph whole.mtx")
row("prepare graph: names of classes ('%s'), but no labels", PLAIN + " --classes-file classes3.tsv", NAMED)
row("prepare graph: '%s' has features and classes; leave '%s' out", "graph coo2 --features sparse9.tsv", "graph coo2")
row("prepare graph: '%s' is given, but no list of nodes to train on", LABELLED + " --valid valid9.txt",
    LABELLED + " --valid valid9.txt --train train9.txt")
row("prepare graph: parts are dealt class by class, and there are no labels", PLAIN + " --valid-share 0.2", LABELLED + " --valid-share 0.4")
row("prepare interactions: --format is '%s', expected lists or pairs", LISTS + " --format list", LISTS + " --format lists")
row("prepare interactions: --split is '%s', expected random or time", "interactions ratings.csv --split last", "interactions ratings.csv --split time")
row("prepare shop: %s '%s' is no list of columns, a,b,c", "shop shops --product-fields ,", "shop shops --product-fields kind")
row("synthetic pairs: no task '%s'; there are reverse, copy and sort", "synth --pairs=shuffle", "synth --pairs=sort --samples 100 --valid 10 --test 10")
row("symbols are left for the %s part; take longer ones, or fewer samples", "synth --pairs --symbols 2 --length 1-2 --samples 100 --valid 10 --test 10",
    "synth --pairs --symbols 2 --length 5-9 --samples 100 --valid 10 --test 10")
row("symbols are left for the %s part; take longer ones, or fewer samples", "synth --pairs --symbols 2 --length 1-2 --samples 100 --valid 10 --test 10",
    "synth --pairs --symbols 2 --length 1-2 --samples 2 --valid 1 --test 1")
row(" (--base 1)", "graph zero.txt --base 1", "graph one.txt --base 1")
file("zero.txt", "0 1\n1 2\n2 0\n")
row("give more text", "text one_word.txt --unit word --valid lines.txt", "text lines.txt --unit word --valid lines.txt")
file("one_word.txt", "word\n")
row("label, the nodes before have %s; give all nodes one, or none", FILES.replace("set/nodes.tsv", "some.tsv"), BARE + " --degree-features")

# ---- texts of other programs: what a message says to run is run
for name, text, says, run, mended in (
        ("x.dimacs", "c made here\np edge 3 2\ne 1 2\ne 2 3\n", "leave its edges: awk", "awk '\\''/^[ae] /{print $2, $3}'\\'' x.dimacs > dimacs.txt",
         "graph dimacs.txt --base 1"),
        ("x.nt", "<a> <knows> <b> .\n<b> <knows> <c> .\n", "leave subjects and objects: awk", "awk '\\''{print $1, $3}'\\'' x.nt > nt.txt",
         "graph nt.txt --ids names"),
        ("x.tuples", "(0, 1)\n(1, 2)\n(2, 0)\n", "leave the brackets out: tr -d", "tr -d '\\''()[]'\\'' < x.tuples > tuples.csv", "graph tuples.csv"),
        ("x.md", "| source | target |\n|---|---|\n| 0 | 1 |\n| 1 | 2 |\n", "write it as CSV: sed", "sed '\\''2d; s/^ *| *//; s/ *| *$//; s/ *| */,/g'\\'' x.md > md.csv",
         "graph md.csv"),
        ("x.adj", "0: 1 2\n1: 0, 2\n2: 0\n", "write a pair a line: awk", "awk -F\"[:, \t]+\" '\\''{for (i = 2; i <= NF; ++i) if ($i != \"\") print $1, $i}'\\'' x.adj > adj.txt",
         "graph adj.txt"),
        ("x.arff", "@relation x\n@attribute a numeric\n@attribute b numeric\n@data\n" + "1,2\n2,1\n" * 9, "leave its head out, up to the line @data",
         "sed '\\''1,/^@data/Id'\\'' x.arff > arff.csv", "table arff.csv --target 2")):
    file(name, text)
    TABLE.row(says, ("prepare graph " if "table" not in mended else "prepare table --target 2 ") + name, f"sh -c '{run}' && prepare {mended}", prefix="")
file("x.lists", "".join(f"{u} " + " ".join(str((u + j) % 9) for j in range(1, 4 + u % 2)) + "\n" for u in range(9)))
file("x.metis", "6 8\n2 3 4 5\n1 3\n1 2 4 5 6\n1 3\n1 3 6\n3 5\n")
file("x.mask", "True\nTrue\n" + "False\n" * 7)
file("x.mask01", "1\n1\n" + "0\n" * 7)
file("x.items", "user items\n" + "".join(f"{u} {u} {(u + 1) % 9} {(u + 2) % 9}\n" for u in range(9)))
for says, wrong, run, mended in (
        ("lists of neighbours? Write an edge a line: awk", "graph x.lists",
         "awk '\\''{for (i = 2; i <= NF; ++i) print $1, $i}'\\'' x.lists > lists_.txt", "graph lists_.txt"),
        ("of METIS: awk", "graph x.metis", "awk '\\''NR > 1{for (i = 1; i <= NF; ++i) print NR - 1, $i}'\\'' x.metis > metis.txt", "graph metis.txt --base 1"),
        ("of a mask; list the nodes that are in: awk", LABELLED + " --train x.mask", "awk '\\''/[Tt]rue/{print NR - 1}'\\'' x.mask > mask.txt",
         LABELLED + " --train mask.txt"),
        ("; if it is a mask, list the nodes that are in: awk", LABELLED + " --train x.mask01", "awk '\\''$1 == 1{print NR - 1}'\\'' x.mask01 > mask01.txt",
         LABELLED + " --train mask01.txt"),
        ("names columns, which lists of items have not; leave the line out (tail -n +2)", "interactions x.items",
         "tail -n +2 x.items > items.txt", "interactions items.txt")):
    TABLE.row(says, "prepare " + wrong, f"sh -c '{run}' && prepare {mended}", prefix="")
file("x.netflix", "12:\n7,3,2005-09-06\n8,4,2005-09-07\n13:\n7,5,2005-09-08\n8,1,2005-09-09\n")
file("netflix.csv", "7,12,3,2005-09-06\n8,12,4,2005-09-07\n7,13,5,2005-09-08\n8,13,1,2005-09-09\n")
row("write the number into each: awk", "interactions x.netflix", "interactions netflix.csv")
for name, text, says in (
        ("x.graphml", "<graphml>\n", "write its edges as text: networkx.write_edgelist"), ("x.sql", "CREATE TABLE x (a int);\n", "write the table as CSV with the database"),
        ("x.404", "404: Not Found", "fetch the file itself"), ("x.xml", "<?xml version='1.0'?>\n<a/>\n", "write its edges or its table as text; of GraphML"),
        ("x.tmx", "<tmx version='1.4'>\n", "write its pairs as two columns"), ("x.ttl", "@prefix a: <b> .\n", "write subject and object of each statement as text"),
        ("x.jsonl", '{"a": 1}\n{"a": 2}\n', "write it as text: pandas."), ("x.svm", "1 1:0.5 3:2\n0 2:1.5\n", "sklearn.datasets.load_svmlight_file"),
        ("x.xlsx", b"PK\3\4" + bytes(26) + b"[Content_Types].xml" + bytes(40), "save a table as CSV, a text as plain text"),
        ("x.coo.npz", b"PK\3\4" + bytes(22) + b"\7\0\0\0row.npy" + bytes(40), "scipy.io.mmwrite('x.mtx', scipy.sparse.load_npz"),
        ("x.npz", b"PK\3\4" + bytes(22) + b"\5\0\0\0a.npy" + bytes(40), "x = numpy.load('x.npz'); numpy.savetxt"),
        ("x.pt", b"PK\3\4" + bytes(22) + b"\x08\0\0\0data.pkl" + bytes(40), "write its tensors as text, with Python"),
        ("x.rdata", b"RDX3\nX\n", "write its tables as text: write.csv"), ("x.rds", b"X\n\0\0\0\3", "write its table as text: write.csv(readRDS"),
        ("x.dta", b"<stata_dta>", "pandas.read_stata")):
    file(name, text)
    row(says, f"graph {name}", PLAIN)
