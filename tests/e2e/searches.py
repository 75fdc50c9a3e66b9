"""What the tests of searches share: data, a configuration and spaces."""
from values import *

CONFIG = """data: {path: %s}
model: {kind: mlp, widths: 16}
batch: {size: 40, blocks: 4}
train: {steps: 32}
optimizer: {clip_norm: 0}
eval: {every: 8, select: accuracy}
checkpoint: {every: 8}
log: {tensorboard: false}
"""
PARAMETERS = """parameters:
  optimizer.lr: {low: 1e-3, high: 1e2, log: true}
  optimizer.name: [adam, sgd]
  optimizer.momentum: {low: 0, high: 0.99, when: {optimizer.name: sgd}}
  batch.size: {low: 20, high: 60, step: 10}
"""


def set_up(folder, steps=32):
    data = table(folder, "kind", n=300, more=("--folds", "3"))
    text = (CONFIG % data).replace("steps: 32", f"steps: {steps}").replace("every: 8", f"every: {steps // 4}")
    return write(f"{folder}/mlp.yaml", text)


def space(folder, name, search, parameters=PARAMETERS, config=None):
    config = config or f"{folder}/mlp.yaml"
    return write(f"{folder}/{name}.yaml", f"config: {config}\nsearch: {{{search}}}\n{parameters}")


def read(path):
    with open(path) as file:
        return file.read()


def with_checkpoints(folder):
    """Trials that have some."""
    return sorted(name for name in os.listdir(f"{folder}/trials")
                  if os.path.isdir(f"{folder}/trials/{name}/checkpoints") and
                  os.listdir(f"{folder}/trials/{name}/checkpoints"))
