"""Keys that change no bit, or one thing only, do what their help says: sampler.threads,
sampler.replace, data.halo_cache_mib, eval.top_k, comm.deadline_s; and what is in a checkpoint of a
decoder with model.tied, bias and positions."""
import math
import os
import time

from graphs import *

folder = temp_folder()
SAGE = "model: {kind: sage, layers: 2, width: 8, dropout: 0.3, activation: relu}\n"
SAMPLED = "sampler: {kind: neighbor, fanout: '4,3'}\nbatch: {size: 23, blocks: 7}"


def text(*pairs):
    return [word for pair in pairs for word in ("--set", pair)]


# ---- sampler.threads: so many threads cut batches out, and no bit depends on them
nodes = prepare("graph", nodes_folder(f"{folder}/nodes", sparse=False))
sampled = config(f"{folder}/sampled.yaml", nodes, SAGE + SAMPLED)


def most_threads(n):
    """Threads of a process that trains with sampler.threads = n."""
    process = start("train", sampled, *text(f"run.dir={folder}/count-{n}", f"sampler.threads={n}",
                                            "train.steps=100000000", "eval.every=0",
                                            "checkpoint.every=0"))
    wait_for(lambda: os.path.exists(f"{folder}/count-{n}/metrics.csv") and
             len(rows(f"{folder}/count-{n}")) > 5, 60, "training starts")
    found = len(os.listdir(f"/proc/{process.pid}/task"))
    process.send_signal(SIGNALS["SIGUSR1"])
    _, err = process.communicate(timeout=60)
    equal(process.returncode, 75, err)
    return found


for n, ranks in ((0, 1), (1, 1), (3, 1), (3, 2)):
    good(train(sampled, f"{folder}/threads-{n}-{ranks}", *text(f"sampler.threads={n}"), ranks=ranks),
         f"sampler.threads {n}")
    equal(hashes(f"{folder}/threads-{n}-{ranks}"), hashes(f"{folder}/threads-0-1"),
          f"weights with sampler.threads {n} on {ranks}")
equal(most_threads(3) - most_threads(1), 2, "threads more with sampler.threads 3 than with 1")

# ---- sampler.replace: every target with neighbours has exactly `fanout` sources. Where nodes have one
# neighbour each, two draws of it are an edge of weight two.
good(train(sampled, f"{folder}/replaced", *text("sampler.replace=true")), "sampler.replace")
check(hashes(f"{folder}/replaced") != hashes(f"{folder}/threads-0-1"), "sampler.replace changes nothing")
check(len(hashes(f"{folder}/replaced")) == 12, "steps with sampler.replace")


def matching(name, weight):
    """Nodes in pairs, with the features, labels and splits of the graph above."""
    nodes_folder(f"{folder}/{name}", sparse=False)
    write(f"{folder}/{name}/edges.tsv", (f"{2 * i}\t{2 * i + 1}\t{weight}" for i in range(120)))
    return config(f"{folder}/{name}.yaml", prepare("graph", f"{folder}/{name}"),
                  "model: {kind: sage, layers: 2, width: 8, aggregator: sum, activation: relu}\n"
                  "sampler: {kind: neighbor, fanout: '2,2'}\nbatch: {size: 23, blocks: 7}")


one, two = matching("one", 1), matching("two", 2)
good(train(one, f"{folder}/one-drawn"), "a neighbour, without replacement")
good(train(one, f"{folder}/one-replaced", *text("sampler.replace=true")), "a neighbour drawn twice")
good(train(two, f"{folder}/two-drawn"), "a neighbour of weight two")
equal(hashes(f"{folder}/one-replaced"), hashes(f"{folder}/two-drawn"), "two draws of one neighbour")
check(hashes(f"{folder}/one-drawn") != hashes(f"{folder}/two-drawn"), "weights of edges change nothing")

# ---- data.halo_cache_mib: rows of others are kept up to so much memory; no bit depends on it
good(run("prepare", "synth", "--graph", "--nodes", 20000, "--features-count", 256, "-o",
         f"{folder}/wide.h5"), "prepare synth --graph")
wide = config(f"{folder}/wide.yaml", f"{folder}/wide.h5",
              "model: {kind: sage, layers: 2, width: 8, activation: relu}\n"
              "sampler: {kind: neighbor, fanout: '5,5'}\nbatch: {size: 240, blocks: 6}", steps=60,
              every=0)
grown = {}
for mib in (0, 2, 64):
    run_dir = f"{folder}/cache-{mib}"
    good(train(wide, run_dir, *text("data.storage=partitioned", f"data.halo_cache_mib={mib}",
                                    "eval.every=0", "eval.at_end=false"), ranks=3),
         f"halo_cache_mib {mib}")
    equal(hashes(run_dir), hashes(f"{folder}/cache-0"), f"weights with a cache of {mib} MiB")
    resident = [float(r["peak_rss_mb"]) for r in rows(run_dir)]
    grown[mib] = resident[-1] - resident[1]
# Two thirds of 20,000 rows of 1 KiB are other ranks'.
check(sanitized() or grown[64] > grown[0] + 7, f"a cache of 64 MiB is not used: memory grew by {grown} MB")
check(sanitized() or grown[2] < grown[0] + 5, f"a cache of 2 MiB grew past it: {grown} MB")

# ---- eval.top_k: Recall, NDCG and precision of so many items, from a list of all of them
pairs = prepare("interactions", pairs_folder(f"{folder}/pairs"))
light = config(f"{folder}/light.yaml", pairs,
               "model: {kind: lightgcn, layers: 2, width: 8}\nbatch: {size: 64, blocks: 4}")
with open(f"{folder}/pairs/test.txt") as file:
    wanted = {int(u): set(items) for u, *items in (line.split() for line in file)}
recalls = []
for k in (1, 5, 10, 60):
    run_dir = f"{folder}/top-{k}"
    good(train(light, run_dir, *text(f"eval.top_k={k}"), ranks=2), f"eval.top_k {k}")
    good(run("predict", run_dir, "-o", f"{folder}/top-{k}.tsv", "--top", 50), "predict")
    ranked = {}
    with open(f"{folder}/top-{k}.tsv") as file:
        for user, item, _ in (line.split() for line in file.read().splitlines()[1:]):
            ranked.setdefault(int(user), []).append(item)
    recall = ndcg = precision = 0
    for user, items in wanted.items():
        hit = [i for i, item in enumerate(ranked[user][:k]) if item in items]
        recall += len(hit) / len(items)
        precision += len(hit) / k
        ndcg += (sum(1 / math.log2(i + 2) for i in hit) /
                 sum(1 / math.log2(i + 2) for i in range(min(k, len(items)))))
    shown = [r for r in rows(run_dir) if r["valid_loss"]][-1]
    for name, value in (("recall", recall), ("ndcg", ndcg), ("precision", precision)):
        got = float(shown[f"test_{name}"])
        check(abs(got - value / len(wanted)) < 1e-6, f"{name} of {k}: {got}, {value / len(wanted)}")
    recalls.append(recall)
check(recalls == sorted(recalls) and len(set(recalls)) == 4, f"recall by eval.top_k: {recalls}")
equal(recalls[-1], len(wanted), "recall where all items are recommended")

# ---- model.tied, bias, positions: what is in the checkpoint, and another course
decoder = small_setup(folder, text=SMALL.replace("steps: 20", "steps: 3"))
arrays = {}
for kind in ("", "tied=true", "bias=false", "positions=sinusoidal"):
    run_dir = f"{folder}/decoder-{kind}"
    good(train(decoder, run_dir, *text(*[f"model.{kind}"] * bool(kind))), kind)
    result = run("inspect", f"{run_dir}/checkpoints/step_00000003.h5", "--arrays")
    good(result, "inspect --arrays")
    arrays[kind] = {line.split()[0][len("/model/"):]: line.split("[")[1] for line in
                    result.out.splitlines() if line.split()[0].startswith("/model/")}
for kind, left_out in (("tied=true", {"head/weight"}), ("positions=sinusoidal", {"wpe/weight"}),
                       ("bias=false", {name for name in arrays[""] if name.endswith("/bias")})):
    check(left_out and left_out <= set(arrays[""]), f"{sorted(arrays[''])}")
    equal(set(arrays[kind]), set(arrays[""]) - left_out, f"parameters with {kind}")
    check(all(arrays[""][name] == shape for name, shape in arrays[kind].items()), f"shapes, {kind}")
equal(len({losses(f"{folder}/decoder-{kind}")[3] for kind in arrays}), 4, "courses of the loss")

# ---- comm.deadline_s: a rank that is stopped ends the job within the limit, with 71 and one line
LIMIT_S = 2
for ranks, stopped in ((2, 1), (3, 0)):
    run_dir = f"{folder}/stopped-{ranks}"
    process = start("train", sampled, *text(f"run.dir={run_dir}", f"comm.deadline_s={LIMIT_S}",
                                            "train.steps=100000000", "eval.every=0"), ranks=ranks)
    wait_for(lambda: os.path.exists(f"{run_dir}/metrics.csv") and len(rows(run_dir)) > 5, 60, "start")
    of_ranks = sorted(children(process.pid))
    equal(len(of_ranks), ranks, "processes")
    os.kill(of_ranks[stopped], signal.SIGSTOP)
    began = time.monotonic()
    try:
        _, err = process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        for pid in of_ranks:  # in groups of their own
            os.kill(pid, signal.SIGKILL)
        _, err = process.communicate()
    took_s = time.monotonic() - began
    errors = [line for line in err.splitlines() if line.startswith("error")]
    equal(process.returncode, 71, f"exit code with rank {stopped} of {ranks} stopped\n{err}")
    equal(len(errors), 1, f"lines with rank {stopped} of {ranks} stopped\n{err}")
    check(f"rank {stopped} (" in err and "stopped by a signal" in err and
          f"no sign of life for {LIMIT_S} s" in err, err)
    check(LIMIT_S - 1 < took_s < LIMIT_S + 10, f"the job ended after {took_s:.1f} s")
finish()
