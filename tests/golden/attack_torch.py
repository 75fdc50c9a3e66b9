"""A small network trained against attacks for one step: loss and gradients, by PyTorch in float64.

    pip install torch numpy
    python attack_torch.py -o attack_values.csv

Two linear layers with GELU (tanh form) between, 7 samples of 6 numbers, 4 classes. Weights, inputs and
targets come from a hash of (array, index), random starts from the program's generator, both written out
again here (layer_torch.py, augment.py): nothing but the attack is left to compare.
"""

import argparse
import math
import platform

import numpy as np
import torch

import augment
from layer_torch import given, hashed

N, FEATURES, WIDTH, CLASSES = 7, 6, 5, 4
SEED, STEP, ATTACK = 3, 7, 12  # the purpose of the random numbers: trireme/core/random.h

# name: (method, norm, eps, steps, step size, start, clipped to [0, 1])
CASES = {
    "fgsm": ("fgsm", "sup", 0.1, 1, 0.1, "none", True),
    "pgd": ("pgd", "sup", 0.6, 5, 0.17, "none", True),
    "pgd-2": ("pgd", "2", 0.5, 5, 0.25, "random", True),
    "pgd-random": ("pgd", "sup", 0.2, 4, 0.125, "random", False),
    "trades": ("trades", "sup", 0.1, 5, 0.05, "near", False),
    "freelb": ("freelb", "2", 0.5, 3, 0.5, "spread", False),
}
BETA = 6.0
SHAPES = {
    "layers/0/weight": (WIDTH, FEATURES),
    "layers/0/bias": (WIDTH,),
    "layers/1/weight": (CLASSES, WIDTH),
    "layers/1/bias": (CLASSES,),
}


def words(sample, position):
    """Of augment.py, with another purpose."""
    h = augment.mix64(SEED)
    for number in (ATTACK, STEP, 0):
        h = augment.mix64(h ^ number)
    return augment.philox([position, 0, sample, 0], [h & augment.MASK32, h >> 32])


def unit(high, low):
    return ((high << 32 | low) >> 11) * 2.0**-53


def normal(sample, position):
    w = words(sample, position)
    return math.sqrt(-2 * math.log(1 - unit(w[0], w[1]))) * math.cos(2 * math.pi * unit(w[2], w[3]))


def uniforms(sample):
    """In [-1, 1), four a draw."""
    return [(words(sample, i // 4)[i % 4] >> 8) * 2.0**-23 - 1 for i in range(FEATURES)]


def normals(sample):
    return [normal(sample, i) for i in range(FEATURES)]


def begin(start, norm, eps):
    rows = torch.zeros(N, FEATURES, dtype=torch.float64)
    for s in range(N):
        if start == "near":
            rows[s] = 0.001 * torch.tensor(normals(s))
        elif start == "spread":
            rows[s] = eps / math.sqrt(FEATURES) * torch.tensor(uniforms(s))
        elif start == "random" and norm == "sup":
            rows[s] = eps * torch.tensor(uniforms(s))
        elif start == "random":
            direction = torch.tensor(normals(s), dtype=torch.float64)
            rows[s] = direction / direction.norm() * eps * unit(*words(s, FEATURES)[:2])
    return rows


def project(change, x, norm, eps, clipped):
    if norm == "sup":
        change = change.clamp(-eps, eps)
    else:
        change = change * (eps / change.norm(dim=1, keepdim=True).clamp_min(1e-300)).clamp(max=1)
    return (x + change).clamp(0, 1) - x if clipped else change


def move(change, gradient, norm, size):
    if norm == "sup":
        return change + size * gradient.sign()
    return change + size * gradient / gradient.norm(dim=1, keepdim=True)


def run(case):
    method, norm, eps, steps, size, start, clipped = case
    parameters = {
        name: given(k, shape, 0, 2).double().requires_grad_() for k, (name, shape) in enumerate(SHAPES.items())
    }
    x = given(10, (N, FEATURES), 0.5, 1).double()
    targets = torch.from_numpy((hashed(11, N) % CLASSES).astype(np.int64))

    def outputs(change):
        p = list(parameters.values())
        hidden = torch.nn.functional.gelu((x + change) @ p[0].T + p[1], approximate="tanh")
        return hidden @ p[2].T + p[3]

    def xent(logits):
        return torch.nn.functional.cross_entropy(logits, targets, reduction="sum")

    def divergence(clean, logits):
        return torch.nn.functional.kl_div(logits.log_softmax(1), clean.softmax(1), reduction="sum")

    change = project(begin(start, norm, eps), x, norm, eps, clipped)
    clean = outputs(0 * change).detach()
    total = 0
    for step in range(steps):
        change.requires_grad_()
        logits = outputs(change)
        goal = divergence(clean, logits) if method == "trades" else xent(logits)
        if method == "freelb":
            total = total + goal / steps
        (gradient,) = torch.autograd.grad(goal, change, retain_graph=True)
        change = change.detach()
        if method != "freelb" or step < steps - 1:
            change = project(move(change, gradient, norm, size), x, norm, eps, clipped)
    if method == "trades":
        total = xent(outputs(0 * change)) + BETA * divergence(outputs(0 * change), outputs(change))
    elif method != "freelb":
        total = xent(outputs(change))
    gradients = torch.autograd.grad(total, list(parameters.values()))
    return {"loss": total.detach().reshape(1), **dict(zip(parameters, gradients))}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", required=True, help="CSV file to write")
    args = parser.parse_args()
    torch.set_num_threads(1)
    with open(args.output, "w") as out:
        out.write("# Losses and gradients of a step against attacks, computed by tests/golden/attack_torch.py in\n"
                  "# float64, not by Trireme.\n")
        out.write(f"# torch {torch.__version__}, numpy {np.__version__}, Python {platform.python_version()}, "
                  f"{platform.machine()}\n")
        out.write("case,array,index,value\n")
        for name, case in CASES.items():
            for array, values in run(case).items():
                for i, value in enumerate(values.ravel().tolist()):
                    out.write(f"{name},{array},{i},{value:.12g}\n")


if __name__ == "__main__":
    main()
