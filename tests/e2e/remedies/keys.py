"""Remedies of configurations: what `trireme train --check` refuses before training begins."""
from remedies.rows import Table

TABLE = Table("train ")
row, file = TABLE.row, TABLE.file
TABLE.needs = ("lm enc reg fld s2s sound mlp cost tag cnn gcn sage clu gat gin light shop").split()
LM = "lm.yaml"


def key(says, config, wrong, right, then=None):
    """Both are assignments, with blanks between."""
    def words(text):
        return " ".join(f"-s '{part}'" for part in text.split("; ") if part)
    row(says, f"{config}.yaml {words(wrong)}", f"{config}.yaml {words(right)}", then)


# ---- rules of parameters
key("params.rules has an empty rule; remove the comma", "lm", "params.rules=head/* lr=10x,,", "params.rules=head/* lr=10x")
key("is a pattern alone; write settings behind it", "lm", "params.rules=head/*", "params.rules=head/* lr=10x decay=0")
key("by optimizer.lr, which others are measured by; set it above 0", "lm", "optimizer.lr=0; schedule.min_lr=0; params.rules=head/* lr=0.01",
    "params.rules=head/* lr=0.01")
key("matches no parameter of the model; near it are %s", "lm", "params.rules=haed/* lr=2x", "params.rules=head/* lr=2x")
key("params.rules freezes every parameter, so there is nothing to train; leave some of them free", "lm",
    "params.rules=* freeze", "params.rules=head/* freeze")

# ---- optimizers and schedules
file("cycle.yaml", "data: {path: data.h5}\nmodel: {layers: 1, heads: 2, width: 16, context: 16}\ntrain: {steps: 40}\n"
     "schedule: {name: 1cycle}\n")
row("which has no momentum to cycle; set it to off", "cycle.yaml -s schedule.cycle_momentum=on -s optimizer.name=adagrad",
    "cycle.yaml -s schedule.cycle_momentum=off -s optimizer.name=adagrad")
key("from which the rate falls; set it lower, for instance to %g", "lm", "schedule.min_lr=0.1; optimizer.lr=0.01",
    "schedule.min_lr=0.001; optimizer.lr=0.01")
key("which is no list of rising steps; write it as", "lm", "schedule.name=step; schedule.milestones=30,20",
    "schedule.name=step; schedule.milestones=3000,6000,8000")
for fix in ("schedule.milestones=2,3", "schedule.step_every=2"):
    key("but schedule.name is step: set after how many steps the rate is lowered", "lm", "schedule.name=step",
        "schedule.name=step; " + fix)
key("but optimizer.adamw_lr follows the schedule in proportion to it; set it to 0.02",
    "lm", "optimizer.name=muon; optimizer.lr=0; schedule.min_lr=0", "optimizer.name=muon; optimizer.lr=0.02; schedule.min_lr=0")
for fix in ("optimizer.dampening=0; optimizer.nesterov=true", "optimizer.dampening=0.1; optimizer.nesterov=false"):
    key("but Nesterov's momentum has none; set it to 0, or optimizer.nesterov to false", "lm",
        "optimizer.name=sgd; optimizer.momentum=0.9; optimizer.nesterov=true; optimizer.dampening=0.1",
        "optimizer.name=sgd; optimizer.momentum=0.9; " + fix)
key("but eval.every is 0: set how often the run is evaluated", "lm", "schedule.name=plateau; eval.every=0",
    "schedule.name=plateau; eval.every=2")
key("%s is set, but eval.every is 0: set how often the run is evaluated", "lm", "train.patience_evals=2; eval.every=0",
    "train.patience_evals=2; eval.every=2")
for fix in ("train.patience=0; train.patience_evals=2", "train.patience=2; train.patience_evals=0"):
    key("%s and %s are both given; set one of them to 0", "lm", "train.patience=2; train.patience_evals=2", fix)
key("but nothing has patience; set train.patience_evals", "lm", "train.min_delta=0.1", "train.min_delta=0.1; train.patience_evals=3")
key("more than 2^40 steps; choose fewer", "lm", "train.epochs=1e9; batch.size=1; batch.blocks=1; model.context=1", "train.epochs=2")
key("set math.gemm to native, or train.precision to float32", "lm",
    "train.precision=bf16; math.gemm=openblas", "train.precision=bf16; math.gemm=native")
key("set math.gemm to native, or train.precision to float32", "lm", "train.precision=bf16; math.gemm=openblas",
    "train.precision=float32; math.gemm=openblas")

# ---- models
for name in ("lm", "enc"):
    key("which model.heads (%lld) does not divide; choose a multiple", name, "model.width=15", "model.width=18")
key("it is the length of all heads together: choose a multiple", "gat", "model.width=9", "model.width=10")
for fix in ("last", "concat"):
    key("but gin with a readout and plain blocks reads out every layer; set it to last or concat", "gin", "model.jumping=max",
        "model.jumping=" + fix)
key("set it to separate, or prepare the data with --vocab shared", "sound", "model.embeddings=shared", "model.embeddings=separate")
key("so that products have no vectors at all; set one of them", "shop", "model.text=none; model.ids=false", "model.text=words; model.ids=false")
key("so that products have no vectors at all; set one of them", "shop", "model.text=none; model.ids=false", "model.text=none; model.ids=true")
key("but the outputs come from a layer without heads (residual blocks, model.jumping or model.readout); set it to 1", "gat",
    "model.out_heads=2; model.jumping=concat", "model.out_heads=1; model.jumping=concat")
for fix in ("model.channels=4,4; model.padding=same", "model.channels=4; model.convs=2; model.padding=valid"):
    key("give fewer stages or convolutions%s", "cnn", "model.channels=4,4; model.convs=2; model.padding=valid", fix)
key(", or set model.padding to same", "cnn", "model.channels=4,4; model.convs=2; model.padding=valid",
    "model.channels=4,4; model.convs=2; model.padding=same")
key("which works on images, but the inputs of the data set are rows of a table; set it to mlp", "mlp", "model.kind=cnn; model.widths=9",
    "model.kind=mlp")
key("which works on images, but the inputs of the data set are rows of a table; set it to mlp", "mlp", "model.kind=cnn; model.widths=9",
    "model.kind=mlp; model.widths=9")
for name, data in (("lm", "data"), ("enc", "cls"), ("cnn", "bars"), ("kind", "kind"), ("gcn", "sparse"), ("light", "likes")):
    file(f"bare_{name}.yaml", f"data: {{path: {data}.h5}}\ntrain: {{steps: 4}}\n")
row("choose another model.kind or prepare other data", "bare_lm.yaml -s model.kind=gcn", "bare_lm.yaml -s model.kind=decoder")
row("choose another model.kind or prepare other data", "bare_lm.yaml -s model.kind=gcn", "bare_gcn.yaml -s model.kind=gcn")
row("set it to encoder or seq2seq", "bare_enc.yaml -s model.kind=mlp", "bare_enc.yaml -s model.kind=encoder")
row("set it to encoder or seq2seq", "bare_enc.yaml -s model.kind=mlp", "bare_enc.yaml -s model.kind=seq2seq", "; set it to %s")
for fix in ("mlp", "cnn", "resnet"):
    row("set it to mlp, cnn or resnet", "bare_cnn.yaml -s model.kind=encoder", f"bare_cnn.yaml -s model.kind={fix}")
row("set it to mlp", "bare_kind.yaml -s model.kind=encoder", "bare_kind.yaml -s model.kind=mlp")
key("; set it to %s", "enc", "model.kind=seq2seq", "model.kind=encoder")
key("; set it to %s", "s2s", "model.kind=encoder", "model.kind=seq2seq")
key("set model.context to that, or ", "enc", "model.context=3", "model.context=20")
key("%sprepare the data with --longest", "enc", "model.context=3", "model.context=20")

# ---- parts, batches and scores
key("take a context of at most %lld, or more text", "lm", "model.context=2000", "model.context=1300; batch.size=1; batch.blocks=1")
key("data.folds is 1; set it to 2 or more, or to 0 for none", "enc", "data.folds=1", "data.folds=2")
key("data.folds is 1; set it to 2 or more, or to 0 for none", "enc", "data.folds=1", "data.folds=0")
key("set data.folds to how many there are, and data.fold to one from 0 on", "enc", "data.fold=3", "data.folds=5; data.fold=3")
key("samples; set it to 2 to %<PRId64>", "enc", "data.folds=1000", "data.folds=5")
key("so that a step would take some twice; set it to that at most", "enc", "batch.size=5000", "batch.size=60")
key("samples of model.context (%<PRId64>) tokens; set batch.size to at most that, or shorten the context", "lm", "batch.size=5000",
    "batch.size=40")
key("samples of model.context (%<PRId64>) tokens; set batch.size to at most that, or shorten the context", "lm",
    "batch.size=50; model.context=128", "batch.size=50; model.context=16")
key("batch.blocks is %<PRId64>, but %s has %<PRId64>; set it to that at most", "gcn", "batch.blocks=5000", "batch.blocks=100")
key("eval.select is '%s', which %s data have not; set it to auto", "reg", "eval.select=accuracy", "eval.select=auto")
key("which needs two classes, but %s has %<PRId64>; set it to auto", "enc", "eval.select=auc", "eval.select=auto")
key("loss.class_weights is 'balanced', but the targets of %s are %s, not a class each; set it to none", "reg",
    "loss.class_weights=balanced", "loss.class_weights=none")
key("which have none; set it to 0, and batch.size to the samples of a step", "mlp", "batch.tokens=90", "batch.tokens=0; batch.size=8")
key("of which nothing is smoothed; set it to 0", "reg", "loss.label_smoothing=0.1", "loss.label_smoothing=0")
key("loss.numbers is '%s', but the targets of %s are %s; leave it out", "enc", "loss.numbers=huber", "")
# ---- graphs
key("sampler.clusters is %<PRId64>; set it between batch.size (%<PRId64>) and the number of nodes", "clu",
    "sampler.clusters=2", "sampler.clusters=20")
key("clusters %<PRId64> have training nodes; set batch.size or sampler.clusters lower", "clu", "sampler.clusters=240; batch.size=239",
    "sampler.clusters=240; batch.size=8")
key("but %s is one graph, whose nodes have the classes; set it to none", "gcn", "model.readout=sum", "model.readout=none")
key("has sparse features, which stay small; set it to 'shared'", "gcn", "data.storage=partitioned", "data.storage=shared")
for fix in ("sum", "mean"):
    key("but %s is a set of graphs; set it to sum, mean or max", "gin", "model.readout=none", "model.readout=" + fix)
key("but %s is a set of graphs; set it to 'shared'", "gin", "data.storage=partitioned", "data.storage=shared")
key("days to train on (data.until); choose less", "shop", "sampler.month=5000", "sampler.month=20")
key("which runs a model several times in a step: not over a whole graph; set it to fgsm or pgd, or sampler.kind", "gat",
    "adversarial.method=freelb; adversarial.eps=0.1; adversarial.norm=2", "adversarial.method=fgsm; adversarial.eps=0.1")
key("these targets are others: set it to pgd or freelb", "cost", "adversarial.method=trades; adversarial.eps=0.1",
    "adversarial.method=pgd; adversarial.eps=0.1")
key("which has nothing to add to; set model.convs to 2 or more", "cnn", "model.residual=true; model.convs=1",
    "model.residual=true; model.convs=2")
key("images get smaller from one convolution to the next; set it to same", "cnn",
    "model.channels=4; model.residual=true; model.convs=2; model.padding=valid",
    "model.channels=4; model.residual=true; model.convs=2; model.padding=same")
for fix in ("eval.views=2; eval.augment=flip", "eval.views=1"):
    key("but without eval.augment all are the same; set eval.augment, or eval.views to 1", "cnn", "eval.views=2", fix)
key("but mixed samples have no target of their own; leave mixup out", "cnn", "eval.augment=flip, mixup 0.2", "eval.augment=flip")
key("or dense features of nodes; set adversarial.method to none", "gcn", "adversarial.method=fgsm; adversarial.eps=0.1",
    "adversarial.method=none")
key("is set, but with data.until %s nothing is left to validate with",
    "shop", "data.until=all; train.patience_evals=3", "data.until=all")

# ---- augmentation
for says, wrong, right in (
        ("it needs a number; write %s, %s %s from %g to %g", "crop", "crop 2"),
        ("is not expected; write %s", "crop 2 3", "crop 2"),
        ("an operation is missing beside a comma; leave the comma away", "crop 2,,flip", "crop 2,flip"),
        ("too long for an operation and its number; put a comma between two operations",
         "crop 2 flip 1 " + "noise " * 30, "crop 2, flip"),
        ("samples are mixed once; keep one of two", "mixup 0.3, mixup 0.2", "mixup 0.3")):
    key(says, "cnn", f"data.augment={wrong}", f"data.augment={right}")

# ---- warm starts
key("which is empty; set that, or remove both", "lm", "train.init_new=head/*", "")

# ---- words of other programs
for word in ("device", "num_threads", "num_workers", "shuffle", "compile", "vocab_size", "num_classes", "in_channels",
             "out_channels", "resume", "load_from", "wandb", "verbose"):
    says = {"device": "the ranks come from mpirun -n, threads from --threads", "num_threads": "threads are given at the start: --threads",
            "num_workers": "data are read ahead by a thread of each rank; remove it", "shuffle": "drawn by run.seed; remove it",
            "compile": "kernels are compiled already; remove it", "vocab_size": "trireme prepare --vocab-size",
            "num_classes": "the classes are the data set's; remove it", "in_channels": "the size of the inputs is the data set's; remove it",
            "out_channels": "the size of the outputs is the data set's; remove it", "resume": "a run is resumed by --resume",
            "load_from": "a run is resumed by --resume; weights come from train.init_from",
            "wandb": "metrics are in metrics.csv and TensorBoard event files; remove it",
            "verbose": "progress is always told, --quiet leaves it out; remove it"}[word]
    row(says, f"lm.yaml -s train.{word}=1", "lm.yaml" + {"num_threads": " --threads 2", "verbose": " --quiet"}.get(word, ""))

file("words.csv", "label,text\n" + "".join(f"{'good' if i % 2 else 'bad'},word{i % 7} and more\n" for i in range(60)))
file("pairs.csv", "user,item,rating\n" + "".join(f"{u},{i},{1 + (u + i) % 5}\n" for u in range(30) for i in range(6)))
STEPS = "says after how many steps; remove it"
BATCHES = "evaluation takes all of a part, in batches of its own size; remove it"
COMMANDS = "commands say what is done: trireme train, evaluate, predict; remove it"
SCORES = "all scores of the task are told, eval.select chooses by one; remove it"
BITS = "the bits are the same always; remove it"
SHARED = "optimizer.sharded shares the optimizer's state out; remove it"
for word, says, mended in (
        ("per_device_eval_batch_size", BATCHES, "lm.yaml"), ("eval_batch_size", BATCHES, "lm.yaml"),
        ("evaluation_strategy", "eval.every " + STEPS, "lm.yaml -s eval.every=2"), ("eval_strategy", "eval.every " + STEPS, "lm.yaml -s eval.every=2"),
        ("save_strategy", "checkpoint.every " + STEPS, "lm.yaml -s checkpoint.every=2"), ("logging_strategy", "log.every " + STEPS, "lm.yaml -s log.every=2"),
        ("logging_dir", "what is logged lies in the run directory, run.dir; remove it", "lm.yaml -s run.dir=logged"),
        ("gradient_checkpointing", "what the backward pass needs is kept; remove it", "lm.yaml"),
        ("deterministic", BITS, "lm.yaml"), ("benchmark", BITS, "lm.yaml"),
        ("overwrite_output_dir", "a run directory is never written over: choose another run.dir, or --resume", "lm.yaml -s run.dir=another"),
        ("do_train", COMMANDS, "lm.yaml"), ("do_eval", COMMANDS, "lm.yaml"), ("do_predict", COMMANDS, "lm.yaml"),
        ("push_to_hub", "nothing is sent anywhere; remove it", "lm.yaml"),
        ("callbacks", "what they do are keys: train.patience_evals, checkpoint.*, log.*; remove it", "lm.yaml -s train.patience_evals=3"),
        ("metrics", SCORES, "enc.yaml -s eval.select=accuracy"), ("eval_metrics", SCORES, "enc.yaml -s eval.select=accuracy"),
        ("zero_optimization", SHARED, "lm.yaml -s optimizer.sharded=true @2"), ("fsdp", SHARED, "lm.yaml -s optimizer.sharded=true @2"),
        ("ddp", "ranks work together always: mpirun -n; remove it", "lm.yaml @2"),
        ("include", "a file holds all of a configuration: write it out, or override keys by --set", "lm.yaml -s optimizer.lr=0.01"),
        ("hparams", "keys stand in groups of their own, as train and optimizer: trireme help config", "lm.yaml -s optimizer.lr=0.02"),
        ("fast_dev_run", "trireme train --check looks at all without training; remove it", "lm.yaml --check")):
    row(says, f"lm.yaml -s train.{word}=1", mended)
WORDS = "prepare labelled words.csv --text text --label label"
for number, (word, option, value) in enumerate((
        ("validation_split", "valid-share", "0.3"), ("valid_size", "valid-share", "0.2"), ("test_size", "test-share", "0.2"),
        ("validation_data", "valid", "words.csv"), ("validation_file", "valid", "words.csv"), ("valid_path", "valid", "words.csv"),
        ("test_path", "test", "words.csv"), ("test_file", "test", "words.csv"))):
    row(f"parts are the data set's: trireme prepare --{option}", f"train enc.yaml -s data.{word}=1",
        f"{WORDS} --{option} {value} -o part{number}.h5 && train enc.yaml -s data.path=part{number}.h5", prefix="")
row("columns are chosen when data are prepared: trireme prepare interactions --columns", "train light.yaml -s data.load_col=1",
    "prepare interactions pairs.csv --columns user,item -o columns.h5 && train light.yaml -s data.path=columns.h5", prefix="")

# ---- the file itself
GOOD = "data: {path: data.h5}\nmodel: {layers: 1, heads: 2, width: 16, context: 16}\ntrain: {steps: 4}\n"


def written(says, wrong, right=GOOD, then=None):
    """Texts of configurations."""
    name, mended = (file(f"f{len(TABLE.files)}{kind}.yaml", text) for kind, text in (("w", wrong), ("m", right)))
    row(says, name, mended, then)


written("tags (!name) are not used in a configuration; write the value itself", GOOD.replace("16}", "!int 16}"))
written("not valid YAML: %s; write 'group:' and below it, indented by spaces, 'key: value'", "data: {path: data.h5\ntrain:\n\tsteps: 4\n")
written("'<<' merges mappings; write '<<: *name', where &name stands before a group of keys",
        GOOD + "log: {<<: 3}\n", "x-a: {l: &l {every: 1}}\n" + GOOD + "log: {<<: *l}\n")
written("a name is due here, not a list or mapping; write 'key: value'", GOOD + "? [a, b]\n: 3\n")
written("stands twice (first in line %lld); keep one of them", GOOD + "train: {steps: 5}\n")
written("an item of its list holds a list; write '- item'", GOOD + "sampler: {fanout: [[1, 2]]}\n")
written("an item of its list is empty; remove it", GOOD + "sampler: {fanout: [1, '']}\n")
written("of its list has a comma; make it two items, or write the list as one text", GOOD + "sampler: {fanout: ['1,2', 3]}\n")
written("has no value; remove the line or give one, allowed: %s", GOOD + "log: {every: }\n", GOOD + "log: {every: 1}\n")
written("stands outside its group; write '%.*s:' and below it '%s: ...'", GOOD + "log.every: 1\n", GOOD + "log:\n  every: 1\n")
written("unknown key '%.80s'; if a number was meant, write its point: 1.5, not 1,5", GOOD + "optimizer: {lr: 1,5}\n", GOOD + "optimizer: {lr: 1.5}\n")
written("has a value of its own; write '%s' below it", GOOD + "log: 1\n", GOOD + "log:\n  every: 1\n")
written("not groups of keys; write 'group:' and below it, indented by spaces, 'key: value'", "- data\n- train\n")
written("deeper than a configuration has them; write 'group:' and below it 'key: value'",
        GOOD + "log: {every: " + "{a: " * 200 + "1" + "}" * 200 + "}\n",
        GOOD + "log: {every: 1}\n")
row("but the environment has no '%.*s'; set it, or write the path itself", "lm.yaml -s data.path='$NOWHERE_AT_ALL/data.h5'",
    "lm.yaml -s data.path=data.h5")
row("has %d bytes or more; use a shorter path", f"LONG={'x' * 3000} lm.yaml -s 'data.path=$LONG/$LONG'", "lm.yaml -s data.path=data.h5")
row("has %d bytes or more; use a shorter text", f"lm.yaml -s params.rules={'x' * 5000}", "lm.yaml")
row("its list has %d bytes or more; use a shorter one", "long_list.yaml", "lm.yaml")
file("long_list.yaml", GOOD + "sampler: {fanout: [" + "1, " * 3000 + "1]}\n")
row("'<<' merges too much, or itself; write the keys here", "merged.yaml", "lm.yaml")
file("merged.yaml", "x-a: &a {<<: *a}\n" + GOOD + "log: {<<: *a}\n")
written("a name with a zero byte; write a plain name", GOOD + 'log: {"ev\\0ery": 1}\n', GOOD + "log: {every: 1}\n")
written("%s has a zero byte in its value; remove it", GOOD + 'run: {dir: "a\\0b"}\n', GOOD + "run: {dir: ab}\n")
written("has a zero byte in its value; remove it", GOOD + 'sampler: {fanout: ["a\\0b"]}\n')
row("not UTF-8 at byte %lld; write it in UTF-8", "lm.yaml -s \"run.dir=caf\udce9\"", "lm.yaml -s run.dir=café")
row("is a folder; give the YAML file in it", ".", "lm.yaml")
row("give the path of a YAML file ('trireme help config' lists its keys)", "nowhere.yaml", "lm.yaml")
row("is no assignment; write %sgroup.key=value", "lm.yaml -s train.steps", "lm.yaml -s train.steps=5")
row("has no effect here: it is for %s; remove it, or choose what uses it%s", "lm.yaml -s optimizer.momentum=0.9", "lm.yaml")
row("has no effect here: it is for %s; remove it, or choose what uses it%s", "lm.yaml -s optimizer.momentum=0.9",
    "lm.yaml -s optimizer.momentum=0.9 -s optimizer.name=sgd")
written("%s has no value; give it in the configuration file or with --set %s=...", "train: {steps: 4}\n")
row("%s has no value; give it in the configuration file or with --set %s=...", "no_path.yaml", "no_path.yaml --set data.path=data.h5")
file("no_path.yaml", "train: {steps: 4}\n")
