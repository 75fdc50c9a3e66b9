#!/usr/bin/env python3
"""What a run that goes on keeps: its clock, its rows, the way its best evaluation is chosen.

Checkpoints are saved before the evaluation of the same step, so who resumes from one evaluates again:
once in the records, with the same bits in the end."""
import os
import shutil

from harness import *

folder = temp_folder()
config = small_setup(folder)
often = ["--set", "eval.every=5", "--set", "checkpoint.every=5", "--set", "checkpoint.keep=9",
         "--set", "train.steps=12", "--set", "log.every=1", "--set", "log.tensorboard=true"]


def evaluations(run_dir):
    return [int(row["step"]) for row in rows(run_dir) if row["valid_loss"]]


whole, cut = os.path.join(folder, "whole"), os.path.join(folder, "cut")
good(train(config, whole, *often), "a run")
good(train(config, cut, *often), "another")
equal(evaluations(whole), [5, 10, 12], "evaluations")
for name in checkpoints(cut):
    if name > "step_00000005.h5":
        os.remove(os.path.join(cut, "checkpoints", name))
good(train(config, cut, *often, "--resume"), "goes on from step 5")
equal(evaluations(cut), [5, 10, 12], "evaluations of a run that went on")
equal(hashes(cut), hashes(whole), "weights of every step")
equal(valid_losses(cut), valid_losses(whole), "losses of evaluations")
times = [float(row["elapsed_s"]) for row in rows(cut)]
check(times == sorted(times), f"elapsed_s goes on: {times}")
check(times[-1] > 1.2 * times[len(times) // 3], f"elapsed_s counts both starts: {times}")

# An AUC of one class: the loss chooses, and patience is not kept waiting.
table = os.path.join(folder, "train.csv")
with open(table, "w") as file:
    file.write("text,label\n" + "".join(f"word {i % 7},{'ab'[i % 2]}\n" for i in range(40)))
valid = os.path.join(folder, "valid.csv")
with open(valid, "w") as file:
    file.write("text,label\n" + "".join(f"word {i},a\n" for i in range(6)))
data = os.path.join(folder, "texts.h5")
good(run("prepare", "labelled", table, "--valid", valid, "--text", "text", "--label", "label",
         "--unit", "char", "-o", data), "prepare")
encoder = os.path.join(folder, "encoder.yaml")
with open(encoder, "w") as file:
    file.write(f"data: {{path: {data}}}\nmodel: {{kind: encoder, layers: 1, heads: 1, width: 8, "
               "context: 32}\nbatch: {size: 4}\n")
result = train(encoder, os.path.join(folder, "auc"), "--set", "eval.select=auc", "--set",
               "eval.every=1", "--set", "train.steps=40", "--set", "optimizer.lr=0", "--set",
               "schedule.warmup_steps=0", "--set", "schedule.name=constant",
               "--set", "train.patience_evals=3",
               "--set", "log.tensorboard=true")
good(result, "a run whose score cannot be computed")
told = [line for line in result.lines() if "valid_auc cannot be computed" in line]
equal(len(told), 1, f"told once: {result.err}")
steps = [int(row["step"]) for row in rows(os.path.join(folder, "auc"))]
equal(max(steps), 4, "patience counts from the first loss")
check(os.path.exists(os.path.join(folder, "auc", "checkpoints", "best.h5")), "there is a best")

events = b"".join(open(os.path.join(folder, "auc", name), "rb").read()
                  for name in os.listdir(os.path.join(folder, "auc")) if "tfevents" in name)
for tag in (b"train/loss", b"valid/loss", b"valid/accuracy"):
    check(tag in events, f"a curve {tag}")
check(b"valid_accuracy" not in events, "curves of a part stand together")
shutil.rmtree(folder)
finish()
