"""Every optimizer and schedule: one hash of the weights for each, whatever the ranks, the threads and the
sharing out of the state, and also when the run is stopped in the middle of a warm-up, a cycle or a
plateau and goes on at another number of ranks."""
import os

from harness import *

folder = temp_folder()
config = small_setup(folder, text=SMALL.replace("eval: {every: 10}", "eval: {every: 2}")
                     .replace("width: 32", "width: 48").replace("schedule: {warmup_steps: 5}\n", ""))
quick = ["--set", "checkpoint.initial=false", "--set", "checkpoint.every=0", "--set",
         "log.tensorboard=false"]
PLATEAU = ["schedule.name=plateau", "schedule.warmup_steps=3", "schedule.patience=1", "schedule.threshold=0.3",
           "schedule.factor=0.5"]

# Optimizer with its options, schedule with its own, and the step at which the run is stopped.
CASES = [
    ("adamw", ["optimizer.lr=0.01", *PLATEAU], 13),
    ("adam", ["optimizer.amsgrad=true", "schedule.warmup_share=0.5"], 7),
    ("sgd", ["optimizer.lr=0.3", "optimizer.nesterov=true", "schedule.name=1cycle"], 11),
    ("rmsprop", ["optimizer.centered=true", "optimizer.momentum=0.5", "schedule.name=wsd", "schedule.decay_share=0.5",
                 "schedule.warmup_steps=5"], 15),
    ("adagrad", ["optimizer.lr=0.02", "schedule.name=cosine_restarts", "schedule.period=3",
                 "schedule.period_factor=2", "schedule.warmup_steps=2"], 6),
    ("lion", ["optimizer.lr=0.002", "schedule.name=inverse_sqrt", "schedule.warmup_steps=6"], 4),
    ("lamb", ["optimizer.lr=0.02", "schedule.name=polynomial", "schedule.warmup_steps=3"], 9),
    ("muon", ["optimizer.lr=0.02", "optimizer.adamw_lr=0.01", *PLATEAU], 12),
    ("sgd", ["optimizer.lr=0.3", "optimizer.dampening=0.5", "schedule.name=step", "schedule.milestones=8,14",
             "schedule.warmup_steps=0"], 10),
    ("muon", ["optimizer.scale=rms", "optimizer.lr=0.01", "optimizer.adamw_lr=0.01", "schedule.name=linear",
              "schedule.warmup_share=0.25"], 3),
    # Rules by parameter, with everything that they can set; noise on gradients; stochastic depth.
    ("adamw", ["optimizer.lr=0.01", "optimizer.gradient_noise=1e-5", "model.drop_path=0.2", "schedule.name=constant",
               "params.rules=wte/* lr=0.5x l1=0.1 max_norm=0.1, blocks/0/* freeze, @vectors l2=0.1 decay=0.1"], 9),
    ("lamb", ["optimizer.lr=0.02", "optimizer.gradient_noise=1e-5", "params.max_norm=0.15",
              "params.rules=wte/* freeze, blocks/1/mlp/* l1=0.05 l2=0.01, @norms lr=0.1x"], 12),
    ("muon", ["optimizer.lr=0.02", "optimizer.adamw_lr=0.01", "params.l2=0.01", "params.max_norm=0.5",
              "params.rules=blocks/0/attn/* lr=2x l1=0.02, wte/* lr=0.005 l1=0.1, blocks/1/mlp/* freeze"], 5),
]


def rates(run_dir):
    return {int(r["step"]): float(r["lr"]) for r in rows(run_dir) if r["loss"]}


for number, (name, options, stop) in enumerate(CASES):
    more = [word for option in (f"optimizer.name={name}", *options) for word in ("--set", option)]

    def go(what, *others, **how):
        run_dir = os.path.join(folder, f"{number}-{what}")
        good(train(config, run_dir, *quick, *more, *others, **how), f"{name}, {options}, {what}")
        return run_dir

    base = go("1x1", ranks=1)
    check(losses(base)[20] < losses(base)[1], f"{name} learns: {losses(base)[1]}, then {losses(base)[20]}")
    for ranks, threads, sharded in ((2, 2, "true"), (3, 1, "false"), (4, 1, "true")):
        got = go(f"{ranks}x{threads}", "--set", f"optimizer.sharded={sharded}", "--set",
                 f"checkpoint.every={stop if ranks == 2 else 0}", "--set", "checkpoint.keep=99", ranks=ranks,
                 threads=threads)
        equal(hashes(got), hashes(base), f"{name}, {options} on {ranks} x {threads}, sharded {sharded}")
        equal(rates(got), rates(base), f"rates of {name}, {options} on {ranks} x {threads}")
    # From a checkpoint in the middle, written on 2 ranks with shared-out state, on 3 without.
    checkpoint = os.path.join(folder, f"{number}-2x2", "checkpoints", f"step_{stop:08d}.h5")
    rest = go("rest", f"--resume={checkpoint}", ranks=3)
    equal(hashes(rest)[20], hashes(base)[20], f"{name}, {options}: resumed at step {stop}")
    equal(rates(rest), {k: v for k, v in rates(base).items() if k > stop}, f"rates of {name} after step {stop}")

# A run that ends between two evaluations goes on as the longer one: its last evaluation lowers nothing.
more = [word for option in CASES[0][1] for word in ("--set", option)]
for steps in (7, 20):
    good(train(config, os.path.join(folder, "longer"), *quick, *more, "--resume", "--set", f"train.steps={steps}"),
         f"{steps} steps")
equal(hashes(os.path.join(folder, "longer"))[20], hashes(os.path.join(folder, "0-1x1"))[20], "7 steps, then 20")

# A plateau lowers the rate, says so, and a replay does the same.
base = os.path.join(folder, "0-1x1")
check(rates(base)[20] < 0.01, f"the plateau lowered the rate: {rates(base)}")
result = run("verify", base, ranks=2)
good(result, "a replay evaluates where the rate follows evaluations")

# Past its end a schedule says once that the rate stays.
result = train(config, os.path.join(folder, "end"), *quick, "--set", "schedule.decay_steps=15", "--set",
               "schedule.warmup_steps=2", ranks=2)
good(result, "a schedule that ends before the run")
equal(result.err.count("the schedule ends at step 15"), 1, result.err)
equal({rates(os.path.join(folder, "end"))[step] for step in range(16, 21)}, {1e-4}, "the last rate is held")

# Rules say what they match; weights that shrink to zero are counted.
result = train(config, os.path.join(folder, "rules"), *quick, "--set",
               "params.rules=blocks/0/* freeze, wte/* l1=2 decay=0", ranks=2)
good(result, "rules")
check("rule blocks/0/* freeze: 12 parameters" in result.err, result.err)
check("rule wte/* l1=2 decay=0: 1 parameter" in result.err, result.err)
shares = [float(r["zero_share"]) for r in rows(os.path.join(folder, "rules")) if r["loss"]]
check(0 < shares[-1] <= 1 and shares[0] < shares[-1], f"shares of zeros: {shares}")
check("zero_share" not in rows(os.path.join(folder, "end"))[0], "no such column without l1")
with open(config) as file:
    text = file.read()
grouped = os.path.join(folder, "grouped.yaml")
with open(grouped, "w") as file:
    file.write(text + "\ngroups:\n  - {match: blocks/0/*, freeze: true}\n  - {match: wte/*, l1: 2, decay: 0}\n")
good(train(grouped, os.path.join(folder, "grouped"), *quick), "rules as a list of mappings")
equal(hashes(os.path.join(folder, "grouped")), hashes(os.path.join(folder, "rules")), "the same rules in two forms")
one_line(train(config, os.path.join(folder, "rules"), "--resume"), 78, "params.rules is ")
one_line(train(config, os.path.join(folder, "x"), "--set", "params.rules=layers/* freeze"), 78,
         "'layers/* freeze' matches no parameter", "trireme inspect")
result = train(config, os.path.join(folder, "x"), "--check", "--set", "params.rules=wte/* lr=2x, @vectors decay=1")
check("# rule wte/* lr=2x: 1 parameter, " in result.out and "# rule @vectors decay=1: " in result.out, result.out)
one_line(train(config, os.path.join(folder, "x"), "--check", "--set", "params.rules=wte/* lr=fast"), 78,
         "'lr=fast' is no setting")

# What does not fit is one line.
one_line(train(config, os.path.join(folder, "x"), "--set", "optimizer.name=sgd", "--set", "optimizer.nesterov=true",
               "--set", "optimizer.dampening=0.1"), 78, "optimizer.dampening is 0.1", "set it to 0")
one_line(train(config, os.path.join(folder, "x"), "--set", "schedule.name=step", "--set",
               "schedule.milestones=20,10"), 78, "schedule.milestones is '20,10'")
one_line(train(config, os.path.join(folder, "x"), "--set", "schedule.name=plateau", "--set", "eval.every=0"), 78,
         "schedule.name is plateau, but eval.every is 0")
one_line(train(config, os.path.join(folder, "x"), "--set", "schedule.name=1cycle", "--set",
               "schedule.cycle_momentum=on", "--set", "optimizer.name=adagrad"), 78, "adagrad", "no momentum")
one_line(train(config, os.path.join(folder, "x"), "--set", "optimizer.name=muon", "--set", "optimizer.lr=0"), 78,
         "optimizer.lr is 0", "0.02")
finish()
