"""Remedies of runs: what a resumed run asks, warm starts, data that fit no model, losses that are not finite."""
from remedies.rows import Table

TABLE = Table()
row, file = TABLE.row, TABLE.file
TABLE.needs = ("lm enc mlp cost cnn gcn shop sage data cls kind letters sparse sets likes retail"
               " run:lm run:enc run:mlp run:gcn run:shop").split()
CHECKPOINT = "runs/lm/checkpoints/step_00000004.h5"

# ---- going on
number = [0]


def resumed(says, wrong, *fixes, then=None, first="train lm.yaml --go -s run.dir={}"):
    """Of a run of its own, which each goes on with."""
    for fix in fixes:
        texts = []
        for text in (wrong, fix):
            number[0] += 1
            name = f"own{number[0]}"
            texts.append(f"{first} && {text}".replace("{}", name).replace("ON", f"train lm.yaml --go -s run.dir={name} --resume"))
        row(says, *texts, then)


for check in ("", " --go"):
    row("%s already holds a run; give --resume to go on with it, or another run.dir", "train lm.yaml" + check, "train lm.yaml --resume")
    row("%s already holds a run; give --resume to go on with it, or another run.dir", "train lm.yaml" + check,
        f"train lm.yaml -s run.dir=fresh{len(check)}" + check)
resumed("the run is complete at step %<PRId64>; raise %s to go on", "ON", "ON -s train.steps=8 --allow-changes")
resumed("is of a model with %s; set it back", "ON -s model.width=18", "ON")
resumed("but the checkpoint %s was made with %s; set it back, or give --allow-changes", "ON -s optimizer.lr=0.5", "ON",
        "ON -s optimizer.lr=0.5 --allow-changes")
resumed("set at least that", "ON -s train.steps=3 --allow-changes", "ON -s train.steps=4", "ON -s train.steps=4 --allow-changes")
row("give another run.dir to go on from %s", f"train lm.yaml --go --resume={CHECKPOINT} -s run.dir=runs/enc",
    f"train lm.yaml --go --resume={CHECKPOINT} -s run.dir=fresh2")
resumed("set data.path back, or give --allow-changes", "ON -s data.path=data2.h5", "ON", "ON -s data.path=data2.h5 --allow-changes",
        first="prepare synth --tokens 3000 --vocab 17 --seed 2 -o data2.h5 && train lm.yaml --go -s run.dir={}")
resumed("optimizer; set optimizer.name back", "ON -s optimizer.name=adamw --allow-changes", "ON -s optimizer.name=sgd",
        first="train lm.yaml --go -s run.dir={} -s optimizer.name=sgd")
row("resume from one of the checkpoints it is made of", "average runs/lm --last 2 -o mean.h5 && train lm.yaml --go --resume=mean.h5 -s run.dir=fresh3",
    f"train lm.yaml --go --resume={CHECKPOINT} -s run.dir=fresh4")
NO_BEST = "train lm.yaml --go -s eval.every=0 -s eval.at_end=false -s run.dir="
row("no best checkpoint there; train with eval.every > 0, or use the newest one", NO_BEST + "nb1 && evaluate nb1 --best",
    "train lm.yaml --go -s eval.every=2 -s run.dir=nb2 && evaluate nb2 --best")
row("no best checkpoint there; train with eval.every > 0, or use the newest one", NO_BEST + "nb3 && evaluate nb3 --best",
    NO_BEST + "nb4 && evaluate nb4")

# ---- warm starts
W = "train lm.yaml -s run.dir=warm --go -s train.init_from=runs/lm "
row("train.init_new: '%s' matches no parameter of the model; near it are %s", W + "-s 'train.init_new=haed/*'",
    W.replace("warm", "warm1") + "-s 'train.init_new=head/*'")
row("make the model alike, or name what is made anew: train.init_new", W + "-s model.width=18", W.replace("warm", "warm2"))
row("make the model alike, or name what is made anew: train.init_new", W + "-s model.context=8",
    W.replace("warm", "warm3") + "-s model.context=8 -s 'train.init_new=wpe/*'")
row("nothing in %s has the name of a parameter of the model; it has %s", "train gcn.yaml --go -s run.dir=warm4 -s train.init_from=runs/lm",
    "train gcn.yaml --go -s run.dir=warm5 -s train.init_from=runs/gcn")
OTHER = "prepare text other.txt -o other{}.h5 && " + W.replace("data.h5", "") + "-s data.path=other{}.h5 "
file("other.txt", "abcdefghijklmnopq " * 200)
row("stands for other tokens; prepare the data with its vocabulary (--vocabulary), or set train.init_new", OTHER.replace("{}", "1"),
    OTHER.replace("{}", "2").replace("warm", "warm6") + "-s 'train.init_new=wte/*, head/*'")

# ---- ranks and blocks
for number_of, (fix, check) in enumerate((fix, check) for fix in ("-s batch.blocks=3 @3", "@2") for check in ("", "--go ")):
    row("blocks of a batch; set batch.blocks (and batch.size) to at least %d, or start fewer ranks",
        f"train lm.yaml {check}-s run.dir=rank{number_of} @3", f"train lm.yaml {check}-s run.dir=rank{number_of}b {fix}")

# ---- losses that are not finite: the advice is followed to its end
WILD = ("train lm.yaml --go -s optimizer.name=sgd -s optimizer.clip_norm=0 -s checkpoint.initial=true -s checkpoint.every=1 "
        "-s checkpoint.keep=9 -s train.steps=20 -s run.dir=")
for number_of, fix in enumerate(("-s optimizer.lr=1e29", "-s optimizer.clip_norm=1 -s optimizer.lr=1e30")):
    name = f"wild{number_of}"
    row("try %s--set optimizer.lr=%g, or %s", WILD + name + " -s optimizer.lr=1e30", WILD + f"{name} --resume --allow-changes {fix}",
        "the weights that it goes on from are too large already")
row("the weights that it goes on from are too large already: choose another run.dir, and an earlier checkpoint by --resume",
    f"{WILD}wild2 -s optimizer.lr=1e30 && {WILD}wild2 --resume --allow-changes -s optimizer.lr=1e29",
    f"{WILD}wild3 -s optimizer.lr=1e30 && {WILD}wild4 --resume=wild3/checkpoints/step_00000000.h5 --allow-changes -s optimizer.lr=1e-3")
row("no step has changed the weights yet, so that it is numbers in %.300s that are too large: make them smaller",
    "prepare graph triangle.txt --labels tri_labels.tsv --train tri_train.txt --features-dense tri_huge.csv -o huge.h5 && "
    "train gcn.yaml --go -s batch.blocks=1 -s eval.every=0 -s eval.at_end=false -s data.path=huge.h5 -s run.dir=huge",
    "prepare graph triangle.txt --labels tri_labels.tsv --train tri_train.txt --features-dense tri_features.csv -o small.h5 && "
    "train gcn.yaml --go -s batch.blocks=1 -s eval.every=0 -s eval.at_end=false -s data.path=small.h5 -s run.dir=small")
file("tri_huge.csv", "3e38,2e38\n2e38,3e38\n1e38,3e38\n")

# ---- data that fit no model
file("triangle.txt", "0\t1\n1\t2\n2\t0\n")
file("tri_labels.tsv", "0\t0\n1\t1\n2\t0\n")
file("tri_train.txt", "0\n1\n")
file("tri_valid.txt", "2\n")
file("tri_features.csv", "1.5,2\n2.5,1\n0.5,3\n")
T = "prepare graph triangle.txt --labels tri_labels.tsv -o tri{}.h5{} && train gcn.yaml -s run.dir=own -s batch.blocks=1 -s eval.every=0 -s eval.at_end=false -s data.path=tri{}.h5"


def triangle(number, more):
    return T.format(number, more, number)


row("nodes have no features; prepare it with --features", triangle(1, " --train tri_train.txt"),
    triangle(2, " --train tri_train.txt --features-dense tri_features.csv"))
SPLITS = ("prepare graph triangle.txt --labels tri_labels.tsv -o tri{0}.h5 --features-dense tri_features.csv{1} "
          "&& sweep gcn.yaml --splits all -s run.dir=tri{0} -s batch.blocks=1 -s eval.every=0 -s data.path=tri{0}.h5")
row("has no %s; prepare it with some", SPLITS.format(3, ""), SPLITS.format(4, " --train tri_train.txt --valid tri_valid.txt"))
file("one_class.tsv", "0\t0\n1\t0\n2\t0\n")
row("have no labels of two classes or more; prepare it with labels",
    triangle(5, " --train tri_train.txt --features-dense tri_features.csv").replace("tri_labels", "one_class"),
    triangle(6, " --train tri_train.txt --features-dense tri_features.csv"))
row("is set, but data.split %d of %s has no %s to validate with; leave it out, or prepare the data with a part to validate with",
    "prepare labelled l.tsv --label 1 --text 2 --valid-share 0 -o nv.h5 && train enc.yaml -s run.dir=own -s data.path=nv.h5 -s train.patience_evals=2",
    "prepare labelled l.tsv --label 1 --text 2 --valid-share 0 -o nv2.h5 && train enc.yaml -s run.dir=own -s data.path=nv2.h5")
row("is set, but data.split %d of %s has no %s to validate with; leave it out, or prepare the data with a part to validate with",
    "prepare labelled l.tsv --label 1 --text 2 --valid-share 0 -o nv3.h5 && train enc.yaml -s run.dir=own -s data.path=nv3.h5 -s train.patience_evals=2",
    "prepare labelled l.tsv --label 1 --text 2 --valid-share 0.3 -o nv4.h5 && train enc.yaml -s run.dir=own -s data.path=nv4.h5 -s train.patience_evals=2")
RENAMED = ("prepare labelled renamed.tsv --label 1 --text 2 --vocabulary cls.h5 -o ren{0}.h5 && "
           "train enc.yaml --go -s run.dir=ren{0} -s data.path=ren{0}.h5 -s train.init_from=runs/enc")
file("renamed.tsv", "".join(f"{('up', 'down', 'still')[i % 3]}\tgood words {i % 7} and more\n" for i in range(40)))
file("l.tsv", "".join(f"{'good' if i % 2 else 'bad'}\tword{i % 7} and more\n" for i in range(40)))
row("have no targets, so that they can only be predicted; prepare them with labels",
    "prepare labelled l.tsv --text 2 --unlabelled -o un.h5 && train enc.yaml -s run.dir=own -s data.path=un.h5",
    "prepare labelled l.tsv --text 2 --label 1 -o un2.h5 && train enc.yaml -s run.dir=own -s data.path=un2.h5")
row("the run ended early at step %<PRId64>: %s; raise %s to go on",
    "train lm.yaml --go -s run.dir=early -s train.patience_evals=1 -s train.min_delta=9 -s train.steps=40 -s eval.every=2 && train lm.yaml --go --resume -s run.dir=early -s train.patience_evals=1 -s train.min_delta=9 -s train.steps=40 -s eval.every=2",
    "train lm.yaml --go -s run.dir=early2 -s train.patience_evals=1 -s train.min_delta=9 -s train.steps=40 -s eval.every=2 && train lm.yaml --go --resume -s run.dir=early2 -s train.patience_evals=3 -s train.min_delta=9 -s train.steps=40 -s eval.every=2 --allow-changes")
row("the classes of %s have other names, and its head is taken all the same; train.init_new makes one anew",
    RENAMED.format(1), RENAMED.format(2) + " -s 'train.init_new=head/*'")
