"""Cora as it is: the published accuracy of GCN over ten seeds, and the curves of GCN and GAT the same on
1, 2 and 4 ranks. Kipf, Welling 2017, arXiv:1609.02907, table 2: 81.5 %; 0.7 is the deviation over seeds."""
import os
import re

from harness import *

data = data_folder()
if not data or not os.path.isdir(os.path.join(data, "cora")):
    skip("no Cora in TRIREME_DATA")
folder = temp_folder()
cora = os.path.join(folder, "cora.h5")
good(run("prepare", "graph", os.path.join(data, "cora"), "--row-normalize", "-o", cora), "prepare")
configs = os.path.join(SOURCE, "benchmarks", "graphs")


def files(run_dir):
    """Every hash, and every score of every evaluation."""
    with open(os.path.join(run_dir, "hashes.csv")) as file:
        hashed = file.read()
    kept = [r for r in rows(run_dir) if r["valid_loss"]]
    return hashed, [[v for k, v in r.items() if "accuracy" in k or "loss" in k] for r in kept]


for name, steps in (("cora_gcn", 200), ("cora_gat", 30)):
    want = None
    for ranks in (1, 2, 4):
        run_dir = os.path.join(folder, f"{name}-{ranks}")
        result = train(os.path.join(configs, f"{name}.yaml"), run_dir, "--set", f"data.path={cora}",
                       "--set", f"train.steps={steps}", "--set", "log.every=1000", ranks=ranks)
        if good(result, f"{name} on {ranks} ranks"):
            want = want or files(run_dir)
            check(files(run_dir) == want, f"{name}: the curves on {ranks} ranks are others than on 1")
            check(len(want[1]) >= 30, f"{name}: {len(want[1])} evaluations")

result = train(os.path.join(configs, "cora_gcn.yaml"), os.path.join(folder, "seeds"), "--set",
               f"data.path={cora}", "--seeds", "0-9", ranks=2, timeout=300)
if good(result, "ten seeds"):
    best = re.search(r"test_accuracy +([\d.]+) \+- ([\d.]+)", result.out)
    if check(best and "over 10 runs" in result.out, result.out):
        check(80.8 <= float(best.group(1)) <= 82.2, f"test accuracy {best.group(0)}, 81.5 expected")
finish()
