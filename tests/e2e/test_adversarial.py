"""Training against attacks: the bits are those of any layout and of a run that was resumed, by each method on
classes, numbers, sequences, images and nodes; what cannot be attacked is said in a line."""
import random

import graphs
import sequences
from harness import *

folder = temp_folder()
texts = sequences.layout_configs(folder)
nodes = graphs.prepare("graph", graphs.nodes_folder(f"{folder}/dense", sparse=False))
sparse = graphs.prepare("graph", graphs.nodes_folder(f"{folder}/sparse"))


def pictures(n=150, size=8):
    """A table of grey pixels: noise, with a bright square in one of three places."""
    r, lines = random.Random(4), []
    for _ in range(n):
        label = r.randrange(3)
        pixels = [[r.randrange(100) for _ in range(size)] for _ in range(size)]
        for y in range(3):
            for x in range(3):
                pixels[1 + y + label][1 + x + 2 * (label % 2)] += 150
        lines.append(",".join(str(value) for value in [label] + sum(pixels, [])) + "\n")
    table, data = sequences.write(f"{folder}/pictures.csv", "".join(lines)), f"{folder}/pictures.h5"
    good(run("prepare", "images", "--pixels", table, "--size", f"{size}x{size}", "--header", "no", "--test-share", 0.2,
             "-o", data), "prepare images")
    return data


def nodes_config(name, data, body):
    return graphs.config(f"{folder}/{name}.yaml", data, body)


GCN = "model: {kind: gcn, layers: 2, width: 8, dropout: 0.2, input_dropout: 0.3, norm: batch}\n"
SAMPLED = ("model: {kind: sage, layers: 2, width: 8, dropout: 0.3}\n"
           "sampler: {kind: neighbor, fanout: '4,3'}\nbatch: {size: 30, blocks: 5}\n")
images = pictures()
IMAGES = {"mlp": "model: {kind: mlp, widths: '20,12', dropout: 0.2}\nbatch: {size: 25, blocks: 7}\n",
          "cnn": "model: {kind: cnn, channels: '4,6', widths: '10', norm: batch, dropout: 0.1}\n"
                 "batch: {size: 25, blocks: 7}\nloss: {label_smoothing: 0.1, class_weights: balanced}\n",
          "resnet": "model: {kind: resnet, blocks: 1, width: 4}\nbatch: {size: 25, blocks: 7}\n"}
configs = {**texts, **{name: sequences.config(f"{folder}/{name}.yaml", images, body) for name, body in IMAGES.items()},
           "gcn": nodes_config("gcn", nodes, GCN + "batch: {blocks: 5}\n"),
           "gat": nodes_config("gat", nodes, "model: {kind: gat, layers: 2, width: 8, heads: 2}\nbatch: {blocks: 5}\n"),
           "max": nodes_config("max", nodes, "model: {kind: sage, layers: 2, width: 8, aggregator: max}\n"),
           "sampled": nodes_config("sampled", nodes, SAMPLED),
           "sparse": nodes_config("sparse", sparse, GCN)}

# configuration, method, eps, more keys
CASES = [("classes", "fgsm", 0.3, {}),
         ("classes", "pgd", 0.5, {"norm": 2, "steps": 3}),
         ("classes", "trades", 0.3, {"steps": 2, "beta": 2}),
         ("classes", "freelb", 0.5, {"steps": 3}),
         ("numbers", "freelb", 0.5, {"norm": "sup", "steps": 2, "step_size": 0.3}),
         ("reverse", "freelb", 0.3, {}),
         ("mlp", "fgsm", 0.1, {"start": "random"}),
         ("mlp", "freelb", 0.5, {}),
         ("cnn", "pgd", 0.1, {"steps": 3, "augment": "crop 1, flip, mixup 0.4"}),
         ("cnn", "trades", 0.1, {"steps": 2}),
         ("resnet", "pgd", 1, {"steps": 2, "norm": 2}),
         ("gcn", "pgd", 0.2, {"steps": 2}),
         ("gat", "fgsm", 0.2, {"start": "random"}),
         ("max", "fgsm", 0.2, {}),
         ("sampled", "trades", 0.2, {"steps": 2}),
         ("sampled", "freelb", 0.2, {})]
LAYOUTS = [(2, 2), (4, 1)]  # of which each case has one; it is resumed on 2 and 3 ranks


def sets(method, eps, more):
    keys = {f"adversarial.{key}": value for key, value in {"method": method, "eps": eps, **more}.items()}
    if "augment" in more:
        keys["data.augment"] = keys.pop("adversarial.augment")
    return [word for key, value in keys.items() for word in ("--set", f"{key}={value}")]


def last(kind):
    return 12 if kind in ("gcn", "gat", "max", "sampled") else 16


seen = {}
for number, (kind, method, eps, more) in enumerate(CASES):
    name = f"{kind}-{method}"

    def go(to, *words, ranks=1, threads=1):
        run_dir = f"{folder}/run-{name}-{to}"
        good(train(configs[kind], run_dir, *sets(method, eps, more), *words, ranks=ranks, threads=threads),
             f"{name} {to}")
        return run_dir

    base = go("1x1")
    want, got = hashes(base), losses(base)
    equal(len(want), last(kind), f"{name}: hashes")
    check(min(got[s] for s in range(last(kind) - 5, last(kind) + 1)) < got[1], f"{name}: losses {got}")
    check(want not in seen.get(kind, []), f"{name}: the bits of another method")
    seen.setdefault(kind, []).append(want)
    ranks, threads = LAYOUTS[number % 2]
    run_dir = go(f"{ranks}x{threads}", ranks=ranks, threads=threads)
    equal(hashes(run_dir), want, f"{name} on {ranks} x {threads}")
    equal(scores(run_dir), scores(base), f"{name}: scores on {ranks} x {threads}")
    run_dir = go("resumed", "--set", "train.steps=5", ranks=2)
    go("resumed", "--resume", ranks=3)
    equal(hashes(run_dir), want, f"{name} resumed")
good(run("verify", f"{folder}/run-classes-freelb-1x1", ranks=2), "verify")

# ---- an eps of 0 changes nothing but the price
plain = f"{folder}/plain"
good(train(configs["classes"], plain, ranks=2), "plain")
for method in ("fgsm", "pgd"):
    run_dir = f"{folder}/none-{method}"
    good(train(configs["classes"], run_dir, *sets(method, 0, {}), ranks=2), f"{method} with eps 0")
    equal(hashes(run_dir), hashes(plain), f"{method} with eps 0")

# ---- evaluated under attack: side by side, the same on any ranks; an eps of 0 is no attack


def attacked(run_dir, *words, ranks=1, threads=1):
    result = run("evaluate", run_dir, *words, ranks=ranks, threads=threads)
    good(result, f"evaluate {run_dir} {words}")
    return result.out


def scores_of(text):
    return {key: (float(a), float(b)) for key, a, b in
            re.findall(r"^  (\w+) +(\S+) clean +(\S+) under attack$", text, re.M)}


PGD = ["--attack", "pgd", "--attack-steps", 5, "--restarts", 3]
for name, words in (("classes-fgsm", PGD + ["--eps", 1, "--attack-norm", 2]),
                    ("classes-fgsm", ["--attack", "fgsm", "--eps", 0.3, "--step-size", 0.2]),
                    ("numbers-freelb", PGD + ["--eps", 0.2]),
                    ("cnn-pgd", PGD + ["--eps", 0.1]),
                    ("gcn-pgd", PGD + ["--eps", 0.2]),
                    ("sampled-trades", ["--attack", "fgsm", "--eps", 0.3])):
    run_dir = f"{folder}/run-{name}-1x1"
    want = attacked(run_dir, *words)
    for ranks, threads in LAYOUTS:
        equal(attacked(run_dir, *words, ranks=ranks, threads=threads), want, f"{name} {words} on {ranks} x {threads}")
    got = scores_of(want)
    equal(len(got), 2, f"{name}: scores in {want}")
    clean, under = got["loss"]
    check(under > clean, f"{name}: {want}")
    if "accuracy" in got:
        plain_scores = dict(re.findall(r"^  (test_\w+) +(\S+)$", attacked(run_dir), re.M))
        equal(got["accuracy"][0], float(plain_scores["test_accuracy"]), f"{name}: clean accuracy")
        check(got["accuracy"][1] <= got["accuracy"][0], f"{name}: {want}")
    once = scores_of(attacked(run_dir, *words, "--restarts", 1))
    check(once["loss"][1] <= under, f"{name}: {once} once, {got} at worst")
    none = scores_of(attacked(run_dir, *words, "--eps", 0))
    for key, (clean, under) in none.items():
        equal(clean, under, f"{name}: {key} with eps 0")
equal(scores_of(attacked(f"{folder}/run-classes-pgd-1x1", *PGD, "--eps", 0.1))["loss"][1]
      < scores_of(attacked(plain, *PGD, "--eps", 0.1))["loss"][1], True, "training against attacks helps")

shown = attacked(f"{folder}/run-cnn-pgd-1x1", "--attack", "fgsm", "--eps", 8 / 255)
check("eps 0.0313725 (8/255) in the sup norm" in shown, shown)

# ---- what cannot be
for run_dir, words, parts in ((plain, ["pgd"], ["needs --eps"]), (plain, ["pg", "--eps", 1], ["'pg'", "fgsm or pgd"]),
                              (plain, ["fgsm", "--eps", 1, "--attack-steps", 2], ["--attack-steps is 2", "pgd"]),
                              (plain, ["pgd", "--eps", 1, "--attack-norm", 1], ["--attack-norm is '1'", "sup or 2"]),
                              (f"{folder}/run-reverse-freelb-1x1", ["pgd", "--eps", 1], ["sequences of tokens"])):
    one_line(run("evaluate", run_dir, "--attack", *words, ranks=2), 64, *parts)
for name, value in (("--eps", 1), ("--attack-steps", 2), ("--step-size", 0), ("--restarts", 1), ("--attack-norm", "sup")):
    one_line(run("evaluate", plain, name, value), 64, f"{name} is for --attack")
refused = f"{folder}/refused"
one_line(train(configs["sparse"], refused, *sets("fgsm", 0.1, {})), 64 + 14, "dense features of nodes")
one_line(train(configs["numbers"], refused, *sets("trades", 0.1, {})), 64 + 14, "'trades'", "set it to pgd or freelb")
one_line(train(configs["reverse"], refused, *sets("trades", 0.1, {})), 64 + 14, "'trades'", "set it to pgd or freelb")
one_line(train(configs["gcn"], refused, *sets("freelb", 0.1, {})), 64 + 14, "'freelb'", "whole graph")
one_line(train(configs["classes"], refused, "--set", "adversarial.method=pgd"), 64 + 14, "adversarial.eps")
one_line(train(configs["classes"], refused, *sets("fgsm", 0.1, {"steps": 3})), 64 + 14, "adversarial.steps",
         "adversarial.method pgd")
finish()
