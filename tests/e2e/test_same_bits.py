"""One hash of the weights and one set of scores on processors with AVX2 and on those with AVX-512, both
with fused multiply-add: each by itself, a job with one rank on each, and a run that one began and the
other ended. Dropout is on, widths are no multiples of a vector. In bfloat16 too, where AVX-512 has an
instruction for it and AVX2 plain arithmetic (docs/DETERMINISM.md)."""
import os

import sequences
from graphs import *

ISAS = ["x86-64-v3", "x86-64-v4"]
STEPS, HALF = 20, 10
folder = temp_folder()


def job(isas, *words):
    """`trireme words`, one rank on each of the instruction sets."""
    ranks = [["-n", "1", "env", f"TRIREME_ISA={isa}", PROGRAM, *words] for isa in isas]
    together = ranks[0] + [word for rank in ranks[1:] for word in [":", *rank]]
    done = subprocess.run([MPIEXEC, *MPI_FLAGS, *together], env=environment(), timeout=120,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, errors="replace")
    return Result(done.returncode, done.stdout, done.stderr)


def outcome(run_dir):
    """Weights, losses and evaluations of all steps."""
    return hashes(run_dir), losses(run_dir), {row["step"]: row for row in scores(run_dir)}


def rest_of(whole):
    """The same of the steps after the first half."""
    return tuple({step: what for step, what in part.items() if int(step) > HALF} for part in whole)


for isa in ISAS:
    shown = job([isa], "doctor")
    if not good(shown, f"doctor on {isa}"):
        finish()
    if "ignored" in shown.out or isa not in shown.out:
        skip(f"this build or processor has no {isa}")

DECODER = """
data: {path: %s}
model: {layers: 2, heads: 3, width: 39, context: 17, dropout: 0.1, attention_dropout: 0.2}
batch: {size: 6, blocks: 3}
train: {steps: 20}
schedule: {name: constant, warmup_steps: 3}
eval: {every: 10}
checkpoint: {every: 10, initial: false}
log: {every: 1, tensorboard: false}
"""
WIDE = ["--set", "model.width=21"]
DROP = ["--set", "model.dropout=0.3"]
# What the settings of test_graph_layouts.py lack.
MORE = {"gcn": WIDE, "gcn-dense-metis": WIDE, "gin-batch": WIDE + DROP, "sage-max": WIDE + DROP,
        "mlp": WIDE + DROP, "sage-sampled": WIDE, "gat": [], "gat-sampled": [],
        "cluster": WIDE + DROP, "gin-set": WIDE, "lightgcn": WIDE}

cases = {name: (path, MORE[name]) for name, path in layout_configs(folder).items() if name in MORE}
equal(sorted(cases), sorted(MORE), "settings of graphs")
cases |= {name: (path, ["--set", "eval.every=5"]) for name, path in sequences.layout_configs(folder).items()}
cases["decoder"] = (small_setup(folder, n_tokens=3000, text=DECODER), [])
for name in ("decoder", "sage-sampled", "reverse"):
    path, more = cases[name]
    cases[f"{name}-bf16"] = (path, more + ["--set", "train.precision=bf16"])

for name, (path, more) in cases.items():
    def go(isas, run_dir, *words):
        result = job(isas, "train", path, "--set", f"run.dir={folder}/{run_dir}", *more,
                     *words)
        good(result, f"{name} on {isas}")
        for what in ("bits may differ", "bits will depend"):
            check(what not in result.err + result.out, f"{name} on {isas}: {result.err}")
        return f"{folder}/{run_dir}"

    all_steps = ["--set", f"train.steps={STEPS}", "--set", f"checkpoint.every={HALF}"]
    want = outcome(go(ISAS[:1], f"{name}-v3", *all_steps))
    check(len(want[0]) >= STEPS and len(want[2]) >= 2, f"{name}: {want}")
    equal(outcome(go(ISAS[1:], f"{name}-v4", *all_steps)), want, f"{name} on {ISAS[1]}")
    equal(outcome(go(ISAS, f"{name}-both", *all_steps)), want, f"{name}, a rank on each")
    for first, second in (ISAS, ISAS[::-1]):
        half = f"{folder}/{name}-{first[-2:]}/checkpoints/step_{HALF:08d}.h5"
        run_dir = go([second], f"{name}-{first}-first", *all_steps, f"--resume={half}")
        equal(rest_of(outcome(run_dir)), rest_of(want), f"{name} begun on {first}, ended on {second}")


# ---- what the bits depend on, as checkpoints say it
def mark(isa, gemm):
    run_dir = f"{folder}/mark-{isa}-{gemm}"
    good(job([isa], "train", cases["decoder"][0], "--set", f"run.dir={run_dir}", "--set",
             f"math.gemm={gemm}", "--set", "train.steps=1", "--set", "checkpoint.every=1"),
         f"one step on {isa} with {gemm}")
    shown = run("inspect", os.path.join(run_dir, "checkpoints", checkpoints(run_dir)[-1])).out
    found = re.search("written by .* on (.*)", shown)
    return found and found.group(1)


for isa in ISAS:
    for gemm in ("native", "reference"):
        equal(mark(isa, gemm), f"x86-64 with fused multiply-add; {gemm}", f"mark of {isa}")
    check(mark(isa, "openblas").startswith(f"{isa}; openblas "), f"mark of {isa}, openblas")
equal(mark("x86-64-v2", "reference"), "x86-64-v2; reference", "mark of x86-64-v2")
finish()
