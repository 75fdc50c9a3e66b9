"""Counts of one: no line of a tiny run says "1 tokens"."""
from harness import *

folder = temp_folder()
said = []


def write(name, text):
    with open(f"{folder}/{name}", "w") as file:
        file.write(text)
    return name


def go(*words, code=0, given=b""):
    result = run(*words, cwd=folder, given=given)
    equal(result.code, code, f"{words}: {result.err}")
    said.extend((words, line) for line in (result.out + "\n" + result.err).splitlines())


TINY = "batch: {size: 1}\ntrain: {steps: 1}\nlog: {tensorboard: false, report: false}\n"
write("lm.yaml", "data: {path: t.h5}\nmodel: {layers: 1, heads: 1, width: 4, context: 2}\n" + TINY)
write("enc.yaml", "data: {path: s.h5}\nmodel: {kind: encoder, layers: 1, heads: 1, width: 4, context: 4}\n" + TINY)
write("tab.yaml", "data: {path: q.h5}\nmodel: {kind: mlp, widths: 1}\n" + TINY)
write("gcn.yaml", "data: {path: e.h5}\nmodel: {kind: gcn, layers: 1, width: 1}\ntrain: {steps: 1}\n")
write("rec.yaml", "data: {path: i.h5}\nmodel: {kind: lightgcn, layers: 1, width: 2}\n" + TINY)
go("prepare", "text", write("t.txt", "ab\nab\nab\n"), "--valid-share", 0.3, "-o", "t.h5")
go("prepare", "labelled", write("s.tsv", "pos\tgood\nneg\tbad\n" * 3), "--label", 1, "--text", 2, "--header", "no",
   "--valid-share", 0.2, "-o", "s.h5")
go("prepare", "labelled", write("p.tsv", "x\tgood\n"), "--unlabelled", "--text", 2, "--header", "no", "--vocabulary",
   "s.h5", "-o", "p.h5")
go("prepare", "table", write("q.csv", "x,y\n1,2\n2,4\n3,6\n4,8\n5,1\n7,3\n"), "--target", "y", "-o", "q.h5")
go("prepare", "graph", "--edges", write("e.txt", "0 1\n"), "--labels", write("l.txt", "0 0\n1 1\n"), "--features",
   write("f.txt", "0 0 1\n"), "--train", write("a.txt", "0\n"), "--valid", write("b.txt", "1\n"), "--nodes", 2, "-o",
   "e.h5")
go("prepare", "interactions", "--train", write("i.txt", "0 0 1\n"), "--test", write("j.txt", "0 2\n"), "-o", "i.h5")
for data in ("t", "s", "p", "q", "e", "i"):
    go("inspect", f"{data}.h5")
go("train", "lm.yaml", "--check")
for name in ("lm", "enc", "tab", "gcn", "rec"):
    go("train", f"{name}.yaml")
go("train", "tab.yaml", "--seeds", "0", "--set", "run.dir=one")
go("evaluate", "runs/lm")
go("predict", "runs/enc", "--data", "p.h5", "-o", "p.out")
go("partition", "e.h5", "--parts", 1)
go("export", "runs/lm", "-o", "lm.npz")
go("verify", "runs/lm")
go("inspect", "runs/lm")
WRONG = re.compile(r"(?<![\w.,:+/=-])1  ?(?!(?:is|was|has|as|does|across|less|this)\b)[a-z]+s\b")
for words, line in said:
    check(not WRONG.search(line), f"{words}: {line}")
finish()
