"""The losses of a Trireme run, computed by PyTorch from the same initial weights and batches.

    pip install torch h5py numpy
    python decoder_torch.py RUN/checkpoints/step_00000000.h5 batches.h5 -o decoder_losses.csv

The checkpoint holds the initial weights and, as text, the whole configuration; batches.h5 holds
/inputs and /targets [steps, batch, context] int32 (dump_batches.c writes it). tests/golden/make
does all of it. The result is stored, so that the tests need no PyTorch.

Nothing here is taken from Trireme's sources: the model is written with torch.nn.functional, and
clipping and AdamW are PyTorch's own.
"""

import argparse
import math
import platform

import h5py
import numpy as np
import torch
from torch.nn import functional as F


def read_config(text):
    """{"group.key": "value"} of the resolved configuration, which has exactly two levels."""
    config, group = {}, None
    for line in text.splitlines():
        if line.endswith(":") and not line.startswith(" "):
            group = line[:-1]
        elif line.strip():
            key, _, value = line.strip().partition(": ")
            config[f"{group}.{key}"] = value
    return config


def read_weights(file, dtype):
    """{"blocks/0/ln1/weight": leaf tensor}."""
    weights = {}

    def visit(name, item):
        if isinstance(item, h5py.Dataset):
            weights[name] = torch.tensor(item[...], dtype=dtype, requires_grad=True)

    file["model"].visititems(visit)
    return weights


class Decoder:
    """Pre-norm GPT on a dictionary of weights."""

    def __init__(self, config, weights):
        self.w = weights
        self.layers = int(config["model.layers"])
        self.heads = int(config["model.heads"])
        activations = {"gelu": lambda x: F.gelu(x, approximate="tanh"), "relu": F.relu}
        self.activation = activations[config["model.activation"]]

    def linear(self, x, name):
        return F.linear(x, self.w[f"{name}/weight"], self.w.get(f"{name}/bias"))

    def norm(self, x, name):
        return F.layer_norm(
            x, x.shape[-1:], self.w[f"{name}/weight"], self.w.get(f"{name}/bias"), eps=1e-5
        )

    def attention(self, x, name):
        N, T, C = x.shape
        q, k, v = (
            part.view(N, T, self.heads, C // self.heads).transpose(1, 2)
            for part in self.linear(x, f"{name}/qkv").split(C, dim=2)
        )
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.linear(y.transpose(1, 2).reshape(N, T, C), f"{name}/proj")

    def mlp(self, x, name):
        return self.linear(self.activation(self.linear(x, f"{name}/fc")), f"{name}/proj")

    def loss(self, inputs, targets):
        """Mean over the tokens."""
        T = inputs.shape[1]
        x = F.embedding(inputs, self.w["wte/weight"]) + self.w["wpe/weight"][:T]
        for i in range(self.layers):
            x = x + self.attention(self.norm(x, f"blocks/{i}/ln1"), f"blocks/{i}/attn")
            x = x + self.mlp(self.norm(x, f"blocks/{i}/ln2"), f"blocks/{i}/mlp")
        head = self.w.get("head/weight", self.w["wte/weight"])
        logits = F.linear(self.norm(x, "ln_f"), head)
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-1)


def constant(config, base, warmup, step):
    return base


def cosine(config, base, warmup, step):
    """One half-wave."""
    low, decay = float(config["schedule.min_lr"]), int(config["schedule.decay_steps"])
    if step >= decay:
        return low
    return low + 0.5 * (base - low) * (1 + math.cos(math.pi * (step - warmup) / (decay - warmup)))


def exponential(config, base, warmup, step):
    """From PyTorch's scheduler, stepped as often."""
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=base)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=float(config["schedule.gamma"]))
    for _ in range(step - warmup):
        optimizer.step()
        scheduler.step()
    return scheduler.get_last_lr()[0]


SCHEDULES = {"constant": constant, "cosine": cosine, "exponential": exponential}


def learning_rate(config, step):
    """Of update `step`, counted from 0: linear warm-up, then the schedule."""
    base, warmup = float(config["optimizer.lr"]), int(config["schedule.warmup_steps"])
    if step < warmup:
        return base * (step + 1) / warmup
    return SCHEDULES[config["schedule.name"]](config, base, warmup, step)


def adamw(groups, config):
    betas = (float(config["optimizer.beta1"]), float(config["optimizer.beta2"]))
    return torch.optim.AdamW(groups, betas=betas, eps=float(config["optimizer.eps"]))


def rmsprop(groups, config):
    return torch.optim.RMSprop(groups, alpha=float(config["optimizer.alpha"]), eps=float(config["optimizer.eps"]),
                               momentum=float(config["optimizer.momentum"]))


def adam(groups, config):
    betas = (float(config["optimizer.beta1"]), float(config["optimizer.beta2"]))
    return torch.optim.Adam(groups, betas=betas, eps=float(config["optimizer.eps"]))


def sgd(groups, config):
    return torch.optim.SGD(groups, momentum=float(config["optimizer.momentum"]),
                           dampening=float(config["optimizer.dampening"]),
                           nesterov=config["optimizer.nesterov"] == "true")


OPTIMIZERS = {"adamw": adamw, "rmsprop": rmsprop, "adam": adam, "sgd": sgd}


def train(config, weights, loss_of, n_steps, penalty=None):
    """[(loss before the update, norm of the gradient before clipping)] of every step; loss_of(step)
    is the loss of the weights as they are then, without penalty(), whose gradient is added behind the
    clipping."""
    matrices = [w for w in weights.values() if w.dim() >= 2]
    vectors = [w for w in weights.values() if w.dim() < 2]
    groups = [
        {"params": matrices, "weight_decay": float(config["optimizer.weight_decay"])},
        {"params": vectors, "weight_decay": 0.0},
    ]
    optimizer = OPTIMIZERS[config["optimizer.name"]](groups, config)
    clip_norm = float(config["optimizer.clip_norm"]) or math.inf
    rows = []
    for step in range(n_steps):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(config, step)
        optimizer.zero_grad()
        loss = loss_of(step)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(weights.values(), clip_norm)
        if penalty:
            penalty().backward()
        optimizer.step()
        rows.append((loss.item(), norm.item()))
    return rows


def train_decoder(config, weights, inputs, targets):
    model = Decoder(config, weights)
    return train(config, weights, lambda step: model.loss(inputs[step], targets[step]), len(inputs))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", help="of step 0")
    parser.add_argument("batches", help="HDF5 file with /inputs and /targets")
    parser.add_argument("-o", "--output", required=True, help="CSV file to write")
    args = parser.parse_args()

    torch.set_num_threads(1)
    with h5py.File(args.batches) as file:
        inputs = torch.from_numpy(file["inputs"][...].astype(np.int64))
        targets = torch.from_numpy(file["targets"][...].astype(np.int64))
    with h5py.File(args.checkpoint) as file:
        run = file["run"].attrs
        if int(run["step"]) != 0:
            parser.error(f"{args.checkpoint} is of step {run['step']}; give the one of step 0")
        text = run["config_text"]
        config = read_config(text.decode() if isinstance(text, bytes) else text)
        if config["optimizer.name"] not in OPTIMIZERS or config["model.positions"] != "learned":
            parser.error(f"only {', '.join(OPTIMIZERS)} and learned positions are written down here")
        for key in ("model.dropout", "model.attention_dropout"):
            if float(config.get(key, 0)) != 0:
                parser.error(f"{key} must be 0: no two programs draw the same masks")
        results = [
            train_decoder(config, read_weights(file, dtype), inputs, targets)
            for dtype in (torch.float64, torch.float32)
        ]

    shown = ("model.", "batch.size", "optimizer.", "schedule.", "train.steps", "run.seed")
    with open(args.output, "w") as out:
        out.write("# Losses (nats a token) computed by tests/golden/decoder_torch.py, not by Trireme.\n")
        out.write(
            f"# torch {torch.__version__}, numpy {np.__version__}, h5py {h5py.__version__}, "
            f"Python {platform.python_version()}, {platform.machine()}\n"
        )
        for key, value in config.items():
            if key.startswith(shown):
                out.write(f"# {key}: {value}\n")
        out.write("step,loss_f64,grad_norm_f64,loss_f32,grad_norm_f32\n")
        for step, (f64, f32) in enumerate(zip(*results), start=1):
            out.write(f"{step},{f64[0]:.12g},{f64[1]:.12g},{f32[0]:.9g},{f32[1]:.9g}\n")


if __name__ == "__main__":
    main()
