"""Remedies of the other commands: words and options, and what is done with a trained run."""
from remedies.rows import Table

TABLE = Table()
row, file = TABLE.row, TABLE.file
TABLE.needs = ("fld data cls num fold rev snd kind price tags bars sparse sets likes retail letters"
               " lm enc reg s2s mlp cost tag cnn gcn gin light shop run:lm run:enc run:reg run:s2s run:mlp run:cost run:tag"
               " run:cnn run:gcn run:light run:shop").split()

# ---- words and options
row("no command '%s'%s%s%s; see trireme help", "trian lm.yaml", "help")
row("no option '%s'%s%s%s; see trireme %s --help", "inspect --arays runs/lm", "inspect --help")
row("; that is a key: %s %s=%s", "train lm.yaml --optimizer.lr 0.1", "train lm.yaml --set optimizer.lr=0.1 -s run.dir=own")
row("; that is a key: %s %s=%s", "sweep lm.yaml --lr 0.1,0.2", "sweep lm.yaml --grid optimizer.lr=0.1,0.2 -s train.steps=1 -o lrs")
row("no command '%s'; say what is done with it: trireme train %s", "lm.yaml", "train lm.yaml -o word")
row("-o %s and --set %s are the same key; give one of them", "train lm.yaml -o a -s run.dir=b", "train lm.yaml -o a")
row("-o names a folder of %zu bytes; choose a shorter path", "train lm.yaml -o " + "long/" * 900, "train lm.yaml -o short")
# Options of other commands, and of other programs.
STEP = "runs/lm/checkpoints/step_00000004.h5"
for says, wrong, mended in (
        ("give the configuration as a word, without an option", "train --config lm.yaml", "train lm.yaml -o cfg"),
        ("give ranks to the launcher: mpirun -n 4, or launch/run -n 4", "train lm.yaml -n 2", "train lm.yaml -o np @2"),
        ("; give -q for less of it", "train lm.yaml --verbose", "train lm.yaml -q -o quiet"),
        ("give --resume=CHECKPOINT to go on from one, --set train.init_from=CHECKPOINT to begin with its weights",
         f"train lm.yaml --ckpt {STEP}", f"train lm.yaml --resume={STEP}"),
        ("give --check to look at all without training", "train lm.yaml --dry-run", "train lm.yaml --check -o dry"),
        ("a run is never written over: give --resume to go on with it, or -o another folder", "train lm.yaml --overwrite", "train lm.yaml -o over"),
        ("give it to trireme sweep, which trains every combination", "train lm.yaml --grid train.steps=1,2",
         "sweep lm.yaml --grid train.steps=1,2 -o grid"),
        ("give it to trireme train, which looks at a configuration without training", "sweep lm.yaml --check", "train lm.yaml --check -o looked"),
        ("give --at-once N: so many runs at a time", "sweep lm.yaml --seeds 0-1 --jobs 1", "sweep lm.yaml --seeds 0-1 --at-once 1 -s train.steps=1 -o jobs"),
        ("give --runs N: so many bootstrap samples", "bias-variance enc.yaml --seeds 0-1", "bias-variance enc.yaml --runs 2 -s train.steps=1 -o boots"),
        ("write it into the space, as 'search: {trials: 40, seed: 1}': trireme help search", "tune lm.yaml --trials 9", "help search"),
        ("give --from RATE", "find-lr lm.yaml --min 1e-5", "find-lr lm.yaml --from 1e-5 --steps 20"),
        ("give --to RATE", "find-lr lm.yaml --max 1", "find-lr lm.yaml --to 1 --steps 20"),
        ("scores go to the terminal: give --json and > FILE", "evaluate runs/lm -o x", "sh -c '$TRIREME evaluate runs/lm --json > ev.json'"),
        ("how many are evaluated at a time changes no result: leave it out", "evaluate runs/lm --batch-size 3", "evaluate runs/lm"),
        ("give --top K", "predict runs/light --top-k 3 -o k.tsv", "predict runs/light --top 3 -o k.tsv"),
        ("the text goes to the terminal: write > FILE behind the command", "generate runs/lm -o x", "sh -c '$TRIREME generate runs/lm > text.txt'"),
        ("give --tokens N", "generate runs/lm --length 4", "generate runs/lm --tokens 4"),
        ("give --prompt TEXT", "generate runs/lm --start a", "sh -c '$TRIREME generate runs/lm --tokens 9 --prompt \"$($TRIREME generate runs/lm --tokens 3)\"'"),
        ("give --temperature 0", "generate runs/lm --greedy", "generate runs/lm --temperature 0 --tokens 3"),
        ("give --length-reward ALPHA", "translate runs/s2s -i lines2.txt --lenpen 1", "translate runs/s2s -i lines2.txt --length-reward 1"),
        ("give --input FILE, lines of text", "translate runs/s2s --data lines2.txt", "translate runs/s2s --input lines2.txt"),
        ("give --longest-ratio X or --longest-extra N", "translate runs/s2s -i lines2.txt --max-len 9", "translate runs/s2s -i lines2.txt --longest-extra 9"),
        ("give the run or the checkpoint as a word, without an option", "evaluate --run runs/lm", "evaluate runs/lm"),
        ("give the checkpoint of that step: runs/lm/checkpoints/step_00000100.h5", "evaluate runs/lm --step 4", f"evaluate {STEP}"),
        ("give --last N or --best N", "average runs/lm -n 2 -o n.h5", "average runs/lm --last 2 -o n.h5"),
        ("the name says the format: give -o FILE.safetensors or FILE.npz", "export runs/lm --format npz", "export runs/lm -o fmt.npz"),
        ("give --samples N", "inspect cls.h5 -n 3", "inspect cls.h5 --samples 3"),
        ("give --parts N", "partition sparse.h5 -k 2", "partition sparse.h5 --parts 2"),
        ("give --column NAME", "show runs/lm --metric lr", "show runs/lm --column lr"),
        ("give --follow", "show runs/lm -f", "show runs/lm --follow")):
    row(says, wrong, mended)
row("is no file; keys are given by --set %s=%s", "train lm.yaml optimizer.lr=0.1", "train lm.yaml --set optimizer.lr=0.1 -s run.dir=own")
row("takes no words, but '%s' is given; see trireme %s --help", "doctor junk", "doctor --help")
row("%s: give %s (%d given)", "evaluate", "evaluate runs/lm")
row("--vote is of several runs; one is given", "evaluate runs/enc --vote", "evaluate runs/enc runs/enc --vote")
row("there are %s", "prepare texts data.h5", "prepare text lines.txt")
file("lines.txt", "a few words\n" * 40)
row("one file or run", "inspect", "inspect data.h5")
row("a checkpoint to resume from is given as --resume=%s", "train --resume lm.yaml runs/lm/checkpoints/step_00000004.h5",
    "train lm.yaml --resume=runs/lm/checkpoints/step_00000004.h5")
row("give one configuration file (%d given); see trireme help config for the keys", "train", "train lm.yaml -s run.dir=other")
row("give one configuration file (%d given); see trireme help config for the keys", "train", "help config")
row("several runs resume from their own checkpoints; give --resume alone",
    "train lm.yaml --go --seeds 0-1 --resume=runs/lm/checkpoints/step_00000004.h5 -s run.dir=seeds",
    "train lm.yaml --go --seeds 0-1 --resume -s run.dir=seeds")
row("--extend goes on with one run; it is not for --seeds and --splits", "train lm.yaml --extend 8 --seeds 0-1 --go",
    "train lm.yaml --go -s run.dir=ext && train lm.yaml --extend 8 --go -s run.dir=ext")
row("runs in one process, but was started as %s; leave mpirun away", "generate runs/lm @2", "generate runs/lm")
row("find-lr: --from is %g and --to is %g; rates rise", "find-lr lm.yaml --from 1 --to 0.1", "find-lr lm.yaml --from 0.1 --to 1 --steps 10")
row("; a higher --to would show more", "find-lr lm.yaml --from 1e-4 --to 1e-2 --steps 60", "find-lr lm.yaml --from 1e-4 --to 100 --steps 60")
row("no suggestion; try other --from and --to, or more --steps", "find-lr lm.yaml --from 1e-9 --to 1e-8 --steps 20",
    "find-lr lm.yaml --from 1e-4 --to 1 --steps 40")

# ---- inspect, partition
row("inspect: --output, --augment, --config, --epochs and --seed go with --samples N", "inspect bars.h5 --augment 'flip'",
    "inspect bars.h5 --augment flip --samples 4 -o i1.png")
row("inspect: give --augment LIST or --config FILE, not both", "inspect bars.h5 --samples 2 -o i2.png --augment flip --config cnn.yaml",
    "inspect bars.h5 --samples 2 -o i2.png --config cnn.yaml")
row("inspect: --epochs and --seed go with --augment LIST or --config FILE", "inspect bars.h5 --samples 2 -o i3.png --epochs 3",
    "inspect bars.h5 --samples 2 -o i3.png --epochs 3 --augment flip")
row("has rows of a table; --samples shows images and texts", "inspect kind.h5 --samples 2", "inspect kind.h5")
row("has texts, which are printed; leave out --output", "inspect cls.h5 --samples 2 -o i4.png", "inspect cls.h5 --samples 2")
row("images are shown on a sheet; give -o SHEET.png", "inspect bars.h5 --samples 2", "inspect bars.h5 --samples 2 -o i5.png")
row("expected at most %d whole numbers from 1 to %d with commas between: 2,4,8", "partition sparse.h5 --parts two", "partition sparse.h5 --parts 2,4,8")
row("there are metis and contiguous", "partition sparse.h5 --parts 2 --method metric", "partition sparse.h5 --parts 2 --method contiguous")
row("partition: --split is %<PRId64>, but %s has %d splits", "partition sparse.h5 --parts 2 --split 3", "partition sparse.h5 --parts 2 --split 0")
row("partition: give --parts N, or several: --parts 2,4,8", "partition sparse.h5", "partition sparse.h5 --parts 2,4,8")

# ---- outputs
row("%s: give one run directory or more; see trireme help %s", "plot", "plot runs/lm -o p1.svg")
row("show: give one run directory or more; see trireme help show", "show", "show runs/lm")
row("plot: -o %s: give a name that ends with .svg or .png", "plot runs/lm -o p2.jpg", "plot runs/lm -o p2.svg")
row("export: give -o FILE.safetensors or -o FILE.npz", "export runs/lm", "export runs/lm -o e1.npz")
row("name a file that ends with .safetensors or .npz", "export runs/lm -o e2.pt", "export runs/lm -o e2.safetensors")
row("predict: give -o FILE.tsv; see trireme help predict", "predict runs/enc", "predict runs/enc -o p3.tsv")
file("mine.tsv", "notes of mine\n")
for fix in ("-o mine2.tsv", "-o mine.tsv --force"):
    row("and %s; give -o another name, or --force to replace it", "predict runs/enc -o keep.tsv", "predict runs/enc " + fix)
file("keep.tsv", "notes of mine\n")
row("is both input and output; give the output another name", "translate runs/s2s -i lines.txt -o lines.txt --force",
    "translate runs/s2s -i lines2.txt -o out.txt --force")
file("lines2.txt", "1 2\n2 1\n")
row("%s; make the folder first", "predict runs/enc -o nowhere/x.tsv", "predict runs/enc -o x.tsv")
file("folder.npz/a.txt", "x\n")

# ---- average
row("average: give --last or --best, not both", "average runs/lm --last 2 --best 2 -o a1.h5", "average runs/lm --last 2 -o a1.h5")
row("average: --last and --best are of one run directory (%d given)", "average runs/lm runs/enc --last 2 -o a2.h5", "average runs/lm --last 2 -o a2.h5")
for fix in ("runs/lm --last 2", "runs/lm/checkpoints/step_00000002.h5 runs/lm/checkpoints/step_00000004.h5"):
    row("average: give a run with --last N or --best N, or several checkpoints", "average runs/lm -o a3.h5", f"average {fix} -o a3.h5")
row("average: give -o CHECKPOINT.h5; see trireme help average", "average runs/lm --last 2", "average runs/lm --last 2 -o a4.h5")
row("train with a larger checkpoint.keep", "average runs/lm --last 3 -o a5.h5",
    "train lm.yaml --go -s checkpoint.every=1 -s checkpoint.keep=4 -s run.dir=kept && average kept --last 3 -o a5.h5")
row("train with a larger checkpoint.keep_best", "average runs/lm --best 3 -o a6.h5",
    "train lm.yaml --go -s eval.every=1 -s checkpoint.keep_best=4 -s run.dir=best && average best --best 3 -o a6.h5")

# ---- evaluate, predict, translate, verify
A = "evaluate runs/enc --attack pgd --eps 0.1 --attack-steps 2"
row("evaluate: %s is for --attack; give one of fgsm, pgd", "evaluate runs/enc --restarts 2", A + " --restarts 2")
row("evaluate: --attack is on one run, %d are given", A.replace("runs/enc", "runs/enc runs/enc"), A)
row("--attack is '%s', expected fgsm or pgd", A.replace("pgd", "cw"), A)
row("--attack-norm is '%s', expected sup or 2", A + " --attack-norm 1", A + " --attack-norm 2")
row("--attack %s needs --eps, the radius", "evaluate runs/enc --attack pgd", A)
row("but fgsm has one; choose --attack pgd", A.replace("pgd", "fgsm"), A)
row("which cannot be attacked; leave --attack out", A.replace("enc", "lm"), "evaluate runs/lm")
row("--attack is for samples with a class or a number each", A.replace("enc", "tag"), "evaluate runs/tag")
row("says several classes of a sample, so it is no member of an ensemble; give one run", "predict runs/tag runs/tag -o e3.tsv", "predict runs/tag -o e3.tsv")
row("says neither classes nor numbers of samples and ranks nothing, so it is no member of an ensemble; give one run", "evaluate runs/lm runs/lm", "evaluate runs/lm")
row("--vote: models of numbers do not vote; leave it away", "evaluate runs/reg runs/reg --vote", "evaluate runs/reg runs/reg")
row("--vote: models that rank do not vote; leave it away", "evaluate runs/light runs/light --vote", "evaluate runs/light runs/light")
row("leave it out", "evaluate runs/enc runs/reg", "evaluate runs/enc")
row("--set %s: only keys of eval can be set; the others are those of the run", "evaluate runs/s2s --set model.width=3",
    "evaluate runs/s2s --set eval.beam=2")
row("over which no mean is taken; leave it out", "evaluate runs/s2s --set 'eval.augment=drop 0.1'", "evaluate runs/s2s")
row("of which nothing is predicted; trireme generate or trireme evaluate say what it has learned", "predict runs/lm -o p4.tsv", "generate runs/lm --tokens 5")
row("of which predict says nothing; trireme translate writes them", "predict runs/s2s -o p5.tsv", "translate runs/s2s -i lines2.txt -o p5.txt")
row("and writes nothing; trireme predict says what it has learned", "translate runs/enc -i lines.txt", "predict runs/enc -o p6.tsv")
row("translate: --n-best %lld is more than --beam %lld; raise the beam", "translate runs/s2s -i lines2.txt --n-best 7",
    "translate runs/s2s -i lines2.txt --n-best 7 --beam 7")
row("draws one text, but --beam is %lld; give --beam 1", "translate runs/s2s -i lines2.txt --temperature 0.5",
    "translate runs/s2s -i lines2.txt --temperature 0.5 --beam 1")
row("no hashes after step %<PRId64>, its checkpoint; give an earlier --from", "verify runs/enc --from 4", "verify runs/enc --from 2")
file("other.txt", "zyx wvu " * 500)
row("in which its tokens would mean something else; use the data set it was trained on", "evaluate runs/lm --data letters.h5",
    "evaluate runs/lm --data data.h5")
row("in which its tokens would mean something else; prepare it with --vocabulary of the data the model was trained on",
    "prepare labelled new.tsv --label 1 --text 2 -o new.h5 && evaluate runs/enc --data new.h5",
    "prepare labelled new.tsv --label 1 --text 2 -o new2.h5 --vocabulary cls.h5 && evaluate runs/enc --data new2.h5")
file("new.tsv", "".join(f"{('good', 'bad', 'mixed')[i % 3]}\tnew words {i % 5}\n" for i in range(30)))
CLASSES = ("prepare labelled {0}.tsv --label 1 --text 2 --test-share 0.2 --vocabulary cls.h5 -o {0}3.h5 && train enc.yaml --go -s run.dir={0}_run "
           "&& train enc.yaml --go -s run.dir={0}_run --resume -s train.steps=8 -s data.path={0}3.h5 --allow-changes")
row("prepare it with samples of the same classes", CLASSES.format("two"), CLASSES.format("new"))
file("two.tsv", "".join(f"{('fair', 'foul')[i % 2]}\tnew words {i % 5}\n" for i in range(30)))
ROWS = "".join(f"{i % 7}.5,{i % 5}.25,{i % 3}.125,red,north,{('dear', 'fair', 'cheap')[i % 3]}\n" for i in range(60))
file("same.csv", "x,y,z,colour,shop,kind\n" + ROWS)
file("turned.csv", "y,x,z,colour,shop,kind\n" + ROWS)
file("less.csv", "y,z,colour,shop,kind\n" + "".join(line[4:] + "\n" for line in ROWS.split()))
for name, says in (("turned", "prepare it with the same columns in the same order"), ("less", "prepare it with the same columns")):
    row(says, f"prepare table {name}.csv --target kind -o {name}.h5 && predict runs/mlp --data {name}.h5 -o c_{name}.tsv",
        f"prepare table same.csv --unlabelled --kind kind=skip -o same_{name}.h5 && predict runs/mlp --data same_{name}.h5 -o c2_{name}.tsv")
file("pixels.csv", "".join(f"{i % 3},{i},2,3,4\n" for i in range(30)))
row("prepare it with --resize or --colour", "prepare images --pixels pixels.csv --size 2x2 -o px.h5 && predict runs/cnn --data px.h5 -o x1.tsv",
    "prepare images --images bars-images --labels bars-labels --resize 12x12 -o px2.h5 && predict runs/cnn --data px2.h5 -o x2.tsv")
row("kind is '%s', expected %s; give another data set%s", "partition data.h5 --parts 2", "partition sparse.h5 --parts 2")
row(", or ask for what this kind is made for", "partition data.h5 --parts 2", "inspect data.h5")
row("of which a model of kind '%s' says nothing; give data like those it was trained on", "evaluate runs/enc --data rev.h5", "evaluate runs/enc --data cls.h5")

# ---- sweeps and searches
S = "sweep lm.yaml -s run.dir=sw{} --grid optimizer.lr="
row("sweep: give --grid KEY=VALUE,VALUE, --seeds or --splits; one run is trireme train", "sweep lm.yaml -s run.dir=sw0", S.format(0) + "0.1")
row("each run has a folder of its own in run.dir; give that by --set", "sweep lm.yaml --grid run.dir=a,b", S.format(30) + "0.1")
row("are the same key; give one of them", "sweep lm.yaml --grid run.seed=1,2 --seeds 1-2", "sweep lm.yaml --seeds 1-2 -s run.dir=sw31")
row("write KEY=VALUE,VALUE, as optimizer.name=adam,sgd; a value with commas stands in brackets", "sweep lm.yaml --grid optimizer.lr", S.format(1) + "0.1")
row("%s is there twice; give it all its values once", S.format(2) + "0.1 --grid optimizer.lr=0.2", S.format(2) + "0.1,0.2")
row("is there twice; give it once", S.format(3) + "0.1,0.1", S.format(3) + "0.1")
row("more than %d points; give fewer values", "sweep lm.yaml " + " ".join(
    f"--grid {key}=" + ",".join(f"0.{i + 1:03d}" for i in range(100)) for key in ("optimizer.lr", "optimizer.beta1", "optimizer.beta2")), S.format(4) + "0.1")
row("give numbers and ranges up to %lld, as 0-9 or 1,3,5 (at most %d)", "sweep lm.yaml --seeds a", "sweep lm.yaml --seeds 0-1 -s run.dir=sw5")
row("is there twice; give each number once", "sweep lm.yaml --seeds 1,1", "sweep lm.yaml --seeds 1 -s run.dir=sw6")
row("has checkpoints of an earlier sweep; go on with --resume, or choose another run.dir", S.format(7) + "0.1 && " + S.format(7) + "0.1",
    S.format(7) + "0.1 --resume")
row("has checkpoints of an earlier sweep; go on with --resume, or choose another run.dir", S.format(8) + "0.1 && " + S.format(8) + "0.1", S.format(9) + "0.1")
row("is of kind '%s', which has one split", "sweep lm.yaml --splits all -s run.dir=sw10", "sweep lm.yaml --seeds 0-1 -s run.dir=sw10")
row("holds the runs of a sweep; name one of them (they are in its sweep.csv)", "sweep lm.yaml --seeds 0-1 -s run.dir=sw11 && evaluate sw11",
    "sweep lm.yaml --seeds 0-1 -s run.dir=sw12 && evaluate sw12/seed_0")
SPACE = "config: lm.yaml\nsearch: {trials: 2, method: random}\nparameters:\n  optimizer.lr: {low: 1e-4, high: 1e-2, log: true}\n"


def space(says, wrong, right=SPACE):
    number = len(TABLE.files)
    file(f"s{number}w.yaml", wrong)
    file(f"s{number}m.yaml", right)
    row(says, f"tune s{number}w.yaml -o t{number}w", f"tune s{number}m.yaml -o t{number}m")


space("no search space; write config:, search: and parameters:", "")
space("no 'config:'; name the configuration of the trials", SPACE[16:])
space("no 'parameters:'; list keys and their ranges below it", SPACE[:SPACE.index("parameters")])
space("take it out of the parameters", SPACE + "  run.dir: [a, b]\n")
space("list keys and their ranges", SPACE[:SPACE.index("parameters")] + "parameters: 3\n")
space("write {low: ..., high: ...} or a list", SPACE + "  optimizer.beta1: {low: 0.1}\n")
space("or a list, or set the key in the configuration", SPACE + "  optimizer.beta1: 0.9\n", SPACE)
space("let low be the lesser, or set the key in the configuration", SPACE.replace("1e-2", "1e-5"))
space("raise low, or leave log out", SPACE.replace("1e-4", "0"))
space("raise low, or leave log out", SPACE.replace("1e-4", "0"), SPACE.replace("1e-4", "0").replace(", log: true", ""))
space("give each once", SPACE + "  optimizer.beta1: [0.9, 0.9]\n", SPACE + "  optimizer.beta1: [0.9, 0.8]\n")
space("give more, or set the key in the configuration", SPACE + "  optimizer.beta1: []\n", SPACE + "  optimizer.beta1: [0.9, 0.8]\n")
space("is not one 'KEY: value'; write {optimizer.name: sgd}", SPACE + "  optimizer.beta1: {low: 0.1, high: 0.9, when: sgd}\n")
space("name one that stands above it", SPACE + "  optimizer.beta1: {low: 0.1, high: 0.9, when: {optimizer.name: sgd}}\n",
      SPACE + "  optimizer.name: [sgd, adam]\n  optimizer.beta1: {low: 0.1, high: 0.9, when: {optimizer.name: adam}}\n")
space("name one of its choices", SPACE + "  optimizer.name: [sgd, adam]\n  optimizer.beta1: {low: 0.1, high: 0.9, when: {optimizer.name: lion}}\n",
      SPACE + "  optimizer.name: [sgd, adam]\n  optimizer.beta1: {low: 0.1, high: 0.9, when: {optimizer.name: adam}}\n")
space("the median judges one run a trial; choose asha or halving", SPACE.replace("method: random", "method: random, prune: median, folds: 3").replace("lm.yaml", "enc.yaml"),
      SPACE.replace("method: random", "method: random, folds: 3").replace("lm.yaml", "enc.yaml"))
row("a search is there already; go on with --resume, or choose another folder", "tune good.yaml -o tt && tune good.yaml -o tt", "tune good.yaml -o tt --resume")
row("the journal is of another space, configuration, seed or number of folds; give those, or choose another folder",
    "tune good.yaml -o t2 && tune good.yaml -o t2 --resume -s model.width=18", "tune good.yaml -o t3 -s model.width=18")
file("good.yaml", SPACE)
file("deep.yaml", SPACE + "  optimizer.beta1: &a {low: 0.1, high: 0.9}\n")
row("aliases, anchors and tags are not used here; write the value", "tune deep.yaml -o t4", "tune good.yaml -o t5")
row("stands twice (first in line %lld); keep one of them", "tune twice.yaml -o t6", "tune good.yaml -o t7")
file("twice.yaml", SPACE + "search: {trials: 3}\n")
row("a name is due here; write 'key: value'", "tune odd.yaml -o t8", "tune good.yaml -o t9")
file("odd.yaml", SPACE + "? [a]\n: 3\n")
row("a text with a zero byte; remove it", "tune zero.yaml -o t10", "tune good.yaml -o t11")
file("zero.yaml", SPACE + '  optimizer.name: ["a\\0b", adam]\n')

# ---- reports
for name, text, says, fix in (
        ("r1", "step,loss\n1,x\n", "which is no number; mend the file, or leave this run out", "runs/lm"),
        ("r2", "", "is empty; the run has not begun, or leave it out", "runs/lm"),
        ("r3", "step,loss\n1,2,3\n", "fields of the first line; mend the file, or leave this run out", "runs/lm"),
        ("r4", "loss,step\n1,2\n", "give run directories of this program", "runs/lm")):
    file(f"{name}/metrics.csv", text)
    row(says, f"plot runs/lm {name} -o {name}.svg", f"plot {fix} -o {name}.svg")
row("give run directories, or folders of a sweep", "plot folder.npz -o r5.svg", "plot runs/lm -o r5.svg")
row("have different tasks: losses of the one are per %s, of the other per %s; give runs of one task", "report runs/lm runs/enc -o r6.html",
    "report runs/lm -o r6.html")
row("they have no score in common (%s, %s); give runs of one task", "report runs/mlp runs/cost -o r7.html", "report runs/mlp -o r7.html")

# ---- more of sweeps and searches
row("--splits %s: %s has %<PRId64> of them, from 0 to %<PRId64>", "sweep fld.yaml --splits 9 -s run.dir=sp1", "sweep fld.yaml --splits 2 -s run.dir=sp2")
space("write one value", SPACE.replace("trials: 2", "trials: [2, 3]"))
space("write each as one text, in quotes if it has commas", SPACE + "  optimizer.name: [[sgd], adam]\n", SPACE + "  optimizer.name: [sgd, adam]\n")
space("choose a smaller one", SPACE.replace("low: 1e-4, high: 1e-2, log: true", "low: 1e-4, high: 1e-2, step: 1"))
space("list its choices", SPACE + "  model.tied: {low: 0, high: 1}\n", SPACE + "  model.tied: [true, false]\n")
space("write whole numbers", SPACE + "  batch.size: {low: 2.5, high: 4}\n", SPACE + "  batch.size: {low: 2, high: 4}\n")
row("trials of a search without its journal; choose another folder, or remove it", "tune good.yaml -o t12", "tune good.yaml -o t13")
file("t12/trials/0/metrics.csv", "step\n")
row("give data of the kind it was trained on", "predict runs/enc --data data.h5 -o x4.tsv", "predict runs/enc --data cls.h5 -o x4.tsv")
space("has choices and '%s'; leave one of them out", SPACE + "  optimizer.beta1: {choices: [0.9, 0.8], low: 0.1}\n", SPACE + "  optimizer.beta1: {low: 0.1, high: 0.9}\n")
row("holds the trials of a search; name one of them (trials/NUMBER, those of its trials.csv), or train its best.yaml",
    "tune good.yaml -o t21 && evaluate t21", "tune good.yaml -o t22 && evaluate t22/trials/00000")
row("and no search wrote it; give -o another folder", "tune good.yaml -o mine", "tune good.yaml -o t20")
file("mine/best.yaml", "optimizer: { lr: 0.1 }\n")
row("evaluate: --report is of several runs together, one is given", "evaluate runs/enc --report", "evaluate runs/enc runs/enc --report")
row("(it knows %s); leave them out of the data, or train on them", "prepare labelled extra.tsv --label 1 --text 2 --vocabulary cls.h5 -o ex.h5 && evaluate runs/enc --data ex.h5",
    "prepare labelled new.tsv --label 1 --text 2 --vocabulary cls.h5 -o ex2.h5 && evaluate runs/enc --data ex2.h5")
file("extra.tsv", "".join(f"{('good', 'bad', 'odd')[i % 3]}\tnew words {i % 5}\n" for i in range(30)))
