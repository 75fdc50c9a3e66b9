"""200 steps of every optimizer, and the rates of every schedule, by PyTorch in float64.

    pip install torch numpy
    python optimizers_torch.py -o optimizers_values.csv

Optimizers: nine parameters follow the gradient c (w - t) + u(step) / 2 of a noisy quadratic, whose first
weights, curvatures c, targets t and noise u both sides make from a hash of (array, index). torch.optim has
most of the optimizers; where it has none (Lion, LAMB) the authors' formula stands here. torch.optim.Muon
takes its products in bfloat16; here they are left in float64, as nothing else of it is changed.

Schedules: torch.optim.lr_scheduler where it has one, stepped with the optimizer; the others by formula. The
warm-up before them is ours: it rises linearly, and the schedule begins after it.
"""

import argparse
import math
import platform
import re
from unittest import mock

import numpy as np
import torch
from torch.optim import lr_scheduler

STEPS = 200
SHOWN = (1, 10, STEPS)  # after so many steps the weights are written down
SAMPLES = 6             # elements of each parameter

# Name, shape as it lies in memory, what muon takes it for.
PARAMETERS = [
    ("wide", (5, 9), "matrix"),
    ("tall", (8, 3), "matrix"),
    ("kernel", (6, 4), "by inputs"),
    ("square", (4, 4), "matrix"),
    ("embedding", (7, 3), "other"),
    ("vector", (11,), "other"),
    ("head", (3, 5), "other"),
    ("joint", (12, 5), "three"),
    ("pair", (10, 4), "two"),
]
STACKED = {"three": 3, "two": 2}  # matrices one below the other, which muon takes each for itself


def hashed(number, n):
    """[n] numbers in [-1/2, 1/2) of 16 bits: Wellons' lowbias32 of the index and the array's number."""
    h = np.arange(n, dtype=np.uint32) * np.uint32(0x9E3779B1) + np.array([number], np.uint32) * np.uint32(0x01000193)
    h ^= h >> np.uint32(16)
    h *= np.uint32(0x7FEB352D)
    h ^= h >> np.uint32(15)
    h *= np.uint32(0x846CA68B)
    return (h >> np.uint32(16)) / 65536 - 0.5


def given(number, shape):
    return torch.from_numpy(hashed(number, int(np.prod(shape)))).reshape(shape)


def gradient(p, w, step):
    """Of parameter number p."""
    curvature, target = given(100 + p, w.shape) + 1, given(200 + p, w.shape)
    return curvature * (w - target) + given(1000 + 10 * step + p, w.shape) / 2


def value(text):
    return {"true": True, "false": False}.get(text, text if re.fullmatch("[a-z]+", text) else float(text))


def keys_of(text):
    """{key: value} of "optimizer: {...}, schedule: {...}"."""
    found = re.search(r"optimizer: \{(.*?)\}", text)
    return {k: value(v) for k, v in re.findall(r"(\w+): ([^,}]+)", found[1])}


# ---- formulas that PyTorch does not have -------------------------------------------------------------------

class Formula(torch.optim.Optimizer):
    """One rule for each parameter: rule(w, g, state, group, t) with t from 1."""

    def __init__(self, groups, rule, **defaults):
        self.rule, self.t = rule, 0
        super().__init__(groups, defaults)

    @torch.no_grad()
    def step(self):
        self.t += 1
        for group in self.param_groups:
            for w in group["params"]:
                self.rule(w, w.grad, self.state[w], group, self.t)


def lion(w, g, state, group, t):
    m = state.get("m", torch.zeros_like(w))
    u = torch.sign(group["beta1"] * m + (1 - group["beta1"]) * g)
    w -= group["lr"] * (u + group["weight_decay"] * w)
    state["m"] = group["beta2"] * m + (1 - group["beta2"]) * g


def lamb(w, g, state, group, t):
    b1, b2 = group["beta1"], group["beta2"]
    state["m"] = m = b1 * state.get("m", torch.zeros_like(w)) + (1 - b1) * g
    state["v"] = v = b2 * state.get("v", torch.zeros_like(w)) + (1 - b2) * g * g
    u = m / (1 - b1**t) / ((v / (1 - b2**t)).sqrt() + group["eps"]) + group["weight_decay"] * w
    w_norm, u_norm = w.norm(), u.norm()
    w -= group["lr"] * (w_norm / u_norm if w_norm > 0 and u_norm > 0 else 1) * u


def rmsprop_inside(w, g, state, group, t):
    """As torch.optim.RMSprop with eps under the root, centered or not."""
    a = group["alpha"]
    g = g + group["weight_decay"] * w
    state["v"] = v = a * state.get("v", torch.zeros_like(w)) + (1 - a) * g * g
    if group["centered"]:
        state["mean"] = mean = a * state.get("mean", torch.zeros_like(w)) + (1 - a) * g
        v = v - mean * mean
    state["b"] = b = group["momentum"] * state.get("b", torch.zeros_like(w)) + g / (v + group["eps"]).sqrt()
    w -= group["lr"] * b


# ---- optimizers ---------------------------------------------------------------------------------------------

CASES = {
    "adamw": "optimizer: {name: adamw, lr: 0.01, weight_decay: 0.1, beta1: 0.8, beta2: 0.97, eps: 1e-6}",
    "adam": "optimizer: {name: adam, lr: 0.01, weight_decay: 0.1}",
    "adam_amsgrad": "optimizer: {name: adam, lr: 0.01, weight_decay: 0.05, beta2: 0.9, amsgrad: true}",
    "sgd": "optimizer: {name: sgd, lr: 0.02, weight_decay: 0.1, momentum: 0}",
    "sgd_momentum": "optimizer: {name: sgd, lr: 0.02, weight_decay: 0.1, momentum: 0.9}",
    "sgd_nesterov": "optimizer: {name: sgd, lr: 0.02, weight_decay: 0.1, momentum: 0.8, nesterov: true}",
    "sgd_dampening": "optimizer: {name: sgd, lr: 0.02, weight_decay: 0.1, momentum: 0.9, dampening: 0.3}",
    "rmsprop": "optimizer: {name: rmsprop, lr: 0.01, weight_decay: 0.1}",
    "rmsprop_momentum": "optimizer: {name: rmsprop, lr: 0.005, weight_decay: 0.1, momentum: 0.9, alpha: 0.9}",
    "rmsprop_centered": "optimizer: {name: rmsprop, lr: 0.005, weight_decay: 0.1, momentum: 0.5, centered: true}",
    "rmsprop_inside": "optimizer: {name: rmsprop, lr: 0.01, weight_decay: 0, eps: 1e-3, eps_inside: true}",
    "rmsprop_both": "optimizer: {name: rmsprop, lr: 0.01, weight_decay: 0.1, momentum: 0.5, eps: 1e-2, "
                    "eps_inside: true, centered: true}",
    "adagrad": "optimizer: {name: adagrad, lr: 0.05, weight_decay: 0.1}",
    "adagrad_decay": "optimizer: {name: adagrad, lr: 0.1, weight_decay: 0, lr_decay: 0.01, eps: 1e-4}",
    "lion": "optimizer: {name: lion, lr: 0.003, weight_decay: 0.5}",
    "lion_betas": "optimizer: {name: lion, lr: 0.003, weight_decay: 0, beta1: 0.95, beta2: 0.98}",
    "lamb": "optimizer: {name: lamb, lr: 0.01, weight_decay: 0.1}",
    "muon": "optimizer: {name: muon, lr: 0.02, weight_decay: 0.1, adamw_lr: 0.003}",
    "muon_rms": "optimizer: {name: muon, lr: 0.01, weight_decay: 0.1, momentum: 0.8, nesterov: false, scale: rms, "
                "adamw_lr: 0.01, adamw_beta1: 0.8, adamw_beta2: 0.9, adamw_eps: 1e-6}",
}


def stacked_parts(w, kind):
    """The matrices that lie one below the other in w, in its memory, each a parameter; w itself if it is one."""
    return [part.requires_grad_() for part in w.detach().chunk(STACKED[kind])] if kind in STACKED else [w]


def make(name, weights, k):
    """The optimizers that update `weights` with the keys k."""
    lr, decay = k["lr"], k["weight_decay"]
    groups = [{"params": [w for w in weights if w.ndim > 1], "weight_decay": decay},
              {"params": [w for w in weights if w.ndim == 1], "weight_decay": 0.0}]
    betas = (k.get("beta1", 0.9), k.get("beta2", 0.99))
    if name == "adamw":
        return [torch.optim.AdamW(groups, lr, betas, k.get("eps", 1e-8), foreach=False)]
    if name == "adam":
        return [torch.optim.Adam(groups, lr, betas, amsgrad=k.get("amsgrad", False), foreach=False)]
    if name == "sgd":
        return [torch.optim.SGD(groups, lr, k["momentum"], k.get("dampening", 0), 0, k.get("nesterov", False),
                                foreach=False)]
    if name == "rmsprop":
        options = {"alpha": k.get("alpha", 0.99), "eps": k.get("eps", 1e-8), "momentum": k.get("momentum", 0),
                   "centered": k.get("centered", False)}
        if k.get("eps_inside"):
            return [Formula(groups, rmsprop_inside, lr=lr, **options)]
        return [torch.optim.RMSprop(groups, lr, foreach=False, **options)]
    if name == "adagrad":
        return [torch.optim.Adagrad(groups, lr, k.get("lr_decay", 0), eps=k.get("eps", 1e-10), foreach=False)]
    if name == "lion":
        return [Formula(groups, lion, lr=lr, beta1=betas[0], beta2=betas[1])]
    if name == "lamb":
        return [Formula(groups, lamb, lr=lr, beta1=betas[0], beta2=k.get("beta2", 0.999), eps=k.get("eps", 1e-6))]
    hidden = [part for w, (_, _, kind) in zip(weights, PARAMETERS) if kind != "other"
              for part in stacked_parts(w, kind)]
    groups[0]["params"] = [w for w, (_, _, kind) in zip(weights, PARAMETERS) if kind == "other" and w.ndim > 1]
    return [torch.optim.Muon(hidden, lr, decay, k.get("momentum", 0.95), k.get("nesterov", True),
                             adjust_lr_fn="match_rms_adamw" if k.get("scale") == "rms" else "original"),
            torch.optim.AdamW(groups, k["adamw_lr"], (k.get("adamw_beta1", 0.9), k.get("adamw_beta2", 0.95)),
                              k.get("adamw_eps", 1e-10), foreach=False)]


def first_weights():
    """As PyTorch has them: [outputs, inputs]."""
    weights = []
    for p, (_, shape, kind) in enumerate(PARAMETERS):
        w = given(p, shape)
        weights.append((w.T if kind == "by inputs" else w).clone().requires_grad_())
    return weights


def in_memory(p, w):
    return w.T if PARAMETERS[p][2] == "by inputs" else w


def home(part, weights):
    """Number of the parameter in whose memory a part lies, and its first row there."""
    for p, w in enumerate(weights):
        first = part.data_ptr() - w.data_ptr()
        if 0 <= first < w.numel() * w.element_size():
            return p, first // (w.element_size() * w.stride(0))
    raise AssertionError


def hand_out_gradients(optimizers, weights):
    """Parts of a parameter get their rows of its gradient."""
    for part in (part for optimizer in optimizers for group in optimizer.param_groups for part in group["params"]):
        p, first = home(part, weights)
        if part is not weights[p]:
            part.grad = weights[p].grad[first:first + len(part)]


def split(optimizers, weights, rules):
    """A group for each parameter, with what its rule sets; frozen ones have none."""
    for optimizer in optimizers:
        groups = [dict(group, params=[w], rule=rules.get(PARAMETERS[home(w, weights)[0]][0], {}))
                  for group in optimizer.param_groups for w in group["params"]]
        optimizer.param_groups = [group for group in groups if not group["rule"].get("freeze")]
        for group in optimizer.param_groups:
            group["lr"] = group["rule"].get("lr", group["lr"] * group["rule"].get("times", 1))
            group["weight_decay"] = group["rule"].get("decay", group["weight_decay"])


@torch.no_grad()
def add_l2(optimizer):
    for group in optimizer.param_groups:
        for w in group["params"]:
            w.grad += group["rule"].get("l2", 0) * w


@torch.no_grad()
def shrink_and_limit(optimizer):
    """torch.nn.functional.softshrink, and the norm of each row, which is an output's weights."""
    for group in optimizer.param_groups:
        for w in group["params"]:
            rule = group["rule"]
            if "l1" in rule:
                w.copy_(torch.nn.functional.softshrink(w, group["lr"] * rule["l1"]))
            if "max_norm" in rule:
                w *= (rule["max_norm"] / w.norm(dim=-1, keepdim=True)).clamp(max=1)


def run(text, schedule=None, rules=None):
    """[(step, parameter, weights)] of the steps shown."""
    k = keys_of(text)
    weights = first_weights()
    optimizers = make(k["name"], weights, k)
    split(optimizers, weights, rules or {})
    scheduler = schedule(optimizers[0]) if schedule else None
    shown = []
    with mock.patch.object(torch.Tensor, "bfloat16", torch.Tensor.clone):
        for step in range(STEPS):
            for p, w in enumerate(weights):
                g = gradient(p, in_memory(p, w.detach()), step)
                w.grad = in_memory(p, g).clone()
            hand_out_gradients(optimizers, weights)
            for optimizer in optimizers:
                add_l2(optimizer)
                optimizer.step()
                shrink_and_limit(optimizer)
            if scheduler:
                scheduler.step()
            if step + 1 in SHOWN:
                shown += [(step + 1, p, in_memory(p, w.detach()).reshape(-1).numpy().copy())
                          for p, w in enumerate(weights)]
    return shown


# Rules by parameter: as the keys have them, and by hand what they come to.
RULES = {
    "rules_adamw": (
        "optimizer: {name: adamw, lr: 0.01, weight_decay: 0.1}, params: {rules: 'wide lr=3x decay=0.2, tall freeze, "
        "*e* l2=0.05, vector decay=0.3 l1=0.2, head lr=0.002 max_norm=0.4 l2=0'}",
        {"wide": {"times": 3, "decay": 0.2, "l2": 0.05}, "tall": {"freeze": True}, "kernel": {"l2": 0.05},
         "square": {"l2": 0.05}, "embedding": {"l2": 0.05}, "vector": {"decay": 0.3, "l1": 0.2, "l2": 0.05},
         "head": {"lr": 0.002, "max_norm": 0.4}}),
    "rules_sgd": (
        "optimizer: {name: sgd, lr: 0.02, weight_decay: 0.1, momentum: 0.9, nesterov: true}, params: {l2: 0.03, "
        "l1: 0.1, max_norm: 0.6, rules: '@embeddings l1=0, @vectors max_norm=0.7, kernel max_norm=0.3'}",
        {**{name: {"l2": 0.03, "l1": 0.1, "max_norm": 0.6} for name in ("wide", "tall", "square", "head", "joint", "pair")},
         "kernel": {"l2": 0.03, "l1": 0.1, "max_norm": 0.3}, "embedding": {"l2": 0.03, "max_norm": 0.6},
         "vector": {"max_norm": 0.7}}),
    "rules_lamb": (
        "optimizer: {name: lamb, lr: 0.01, weight_decay: 0.1}, params: {rules: 'wide lr=0.5x, tall freeze, "
        "vector decay=0.2 l2=0.1, @heads l1=0.3, s?uare max_norm=0.5'}",
        {"wide": {"times": 0.5}, "tall": {"freeze": True}, "vector": {"decay": 0.2, "l2": 0.1}, "head": {"l1": 0.3},
         "square": {"max_norm": 0.5}}),
    "rules_muon": (
        "optimizer: {name: muon, lr: 0.02, weight_decay: 0.1, adamw_lr: 0.003}, params: {rules: 'wide lr=0.01 decay=0, "
        "tall freeze, kernel lr=2x l1=0.1, @heads lr=0.006 decay=0.3, embedding l1=0.5, square max_norm=0.5 l2=0.2, "
        "pair lr=0.5x max_norm=0.6'}",
        {"wide": {"lr": 0.01, "decay": 0}, "tall": {"freeze": True}, "kernel": {"times": 2, "l1": 0.1},
         "head": {"lr": 0.006, "decay": 0.3}, "embedding": {"l1": 0.5}, "square": {"max_norm": 0.5, "l2": 0.2},
         "pair": {"times": 0.5, "max_norm": 0.6}}),
}

# Optimizers whose momentum a schedule cycles: with PyTorch's schedule.
CYCLED = {
    "sgd_1cycle": "optimizer: {name: sgd, lr: 0.1, weight_decay: 0.1, momentum: 0.9, nesterov: true}, "
                  "schedule: {name: 1cycle, decay_steps: 200}",
    "adam_1cycle": "optimizer: {name: adam, lr: 0.02, weight_decay: 0.1, beta2: 0.9}, "
                   "schedule: {name: 1cycle, decay_steps: 200, cycle_momentum: on, max_momentum: 0.9, "
                   "base_momentum: 0.6}",
}


def one_cycle(text):
    """PyTorch's schedule of a case above."""
    momenta = {"base_momentum": 0.6, "max_momentum": 0.9} if "base_momentum" in text else {}
    return lambda optimizer: lr_scheduler.OneCycleLR(optimizer, keys_of(text)["lr"], STEPS, **momenta)


# ---- schedules ----------------------------------------------------------------------------------------------

LR, RATES = 0.1, 130


def stepped(make_scheduler, warmup=0, end=None):
    """[RATES] of LR by the scheduler after our warm-up; from step `end` on the rate stays."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], LR, momentum=0.9)
    scheduler = make_scheduler(optimizer)
    rates = [LR * (step + 1) / warmup for step in range(warmup)]
    for step in range(warmup, RATES):
        rates.append(optimizer.param_groups[0]["lr"])
        if end is None or step < end:
            optimizer.step()
            scheduler.step()
    return rates


def falling(step, first, last, shape):
    x = min(max((step - first) / (last - first), 0), 1)
    return {"linear": 1 - x, "sqrt": 1 - math.sqrt(x), "cosine": 0.5 * (1 + math.cos(math.pi * x))}[shape]


def by_formula(factor):
    return lambda optimizer: lr_scheduler.LambdaLR(optimizer, factor)


SCHEDULES = {
    "step": ("name: step, warmup_steps: 10, step_every: 30, factor: 0.3",
             stepped(lambda o: lr_scheduler.StepLR(o, 30, 0.3), 10)),
    "milestones": ('name: step, warmup_steps: 0, milestones: "20,50,90", factor: 0.1',
                   stepped(lambda o: lr_scheduler.MultiStepLR(o, [20, 50, 90], 0.1))),
    "exponential": ("name: exponential, warmup_steps: 5, gamma: 0.97",
                    stepped(lambda o: lr_scheduler.ExponentialLR(o, 0.97), 5)),
    "linear": ("name: linear, warmup_steps: 10, decay_steps: 100, min_lr: 0.02",
               stepped(lambda o: lr_scheduler.LinearLR(o, 1, 0.2, 90), 10)),
    "polynomial": ("name: polynomial, warmup_steps: 10, decay_steps: 100, power: 1.7",
                   stepped(lambda o: lr_scheduler.PolynomialLR(o, 90, 1.7), 10)),
    "cosine": ("name: cosine, warmup_steps: 10, decay_steps: 100, min_lr: 0.01",
               stepped(lambda o: lr_scheduler.CosineAnnealingLR(o, 90, 0.01), 10, 100)),
    "restarts": ("name: cosine_restarts, warmup_steps: 7, period: 15, min_lr: 0.01",
                 stepped(lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 15, 1, 0.01), 7)),
    "longer_restarts": ("name: cosine_restarts, warmup_steps: 0, period: 10, period_factor: 2",
                        stepped(lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 10, 2))),
    "1cycle": ("name: 1cycle, decay_steps: 100",
               stepped(lambda o: lr_scheduler.OneCycleLR(o, LR, 100), 0, 99)),
    "1cycle_keys": ("name: 1cycle, decay_steps: 110, rise_share: 0.45, div_factor: 10, final_div_factor: 100",
                    stepped(lambda o: lr_scheduler.OneCycleLR(o, LR, 110, pct_start=0.45, div_factor=10,
                                                              final_div_factor=100), 0, 109)),
    "inverse_sqrt": ("name: inverse_sqrt, warmup_steps: 20",  # fairseq: lr w^0.5 t^-0.5 for the t-th step
                     stepped(by_formula(lambda k: 20**0.5 * (20 + k + 1)**-0.5), 20)),
    "wsd": ("name: wsd, warmup_steps: 10, decay_steps: 100, decay_share: 0.3",
            stepped(by_formula(lambda k: falling(10 + k, 70, 100, "linear")), 10)),
    "wsd_cosine": ("name: wsd, warmup_steps: 0, decay_steps: 100, decay_share: 0.5, decay_shape: cosine",
                   stepped(by_formula(lambda k: falling(k, 50, 100, "cosine")))),
    "wsd_sqrt": ("name: wsd, warmup_steps: 0, decay_steps: 100, decay_share: 0.5, decay_shape: sqrt",
                 stepped(by_formula(lambda k: falling(k, 50, 100, "sqrt")))),
}


def observed(k):
    """What the k-th evaluation gives: it falls, ever slower, with noise."""
    return 2 / (1 + k / 5) + 0.3 * hashed(7, k + 1)[k]


def plateau(sign, **options):
    """[RATES] after each evaluation; sign -1: the more the better, and 5 more of it."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], LR)
    how = "min" if sign > 0 else "max"
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, how, eps=0, **options)  # eps: cuts below it are not made
    rates = []
    for k in range(RATES):
        scheduler.step(observed(k) if sign > 0 else 5 - observed(k))
        rates.append(optimizer.param_groups[0]["lr"])
    return rates


PLATEAUS = {
    "plateau": ("name: plateau, warmup_steps: 0", plateau(1)),
    "plateau_keys": ("name: plateau, warmup_steps: 0, factor: 0.7, patience: 3, threshold: 0.05, cooldown: 4, "
                     "min_lr: 0.003",
                     plateau(1, factor=0.7, patience=3, threshold=0.05, cooldown=4, min_lr=0.003)),
    "plateau_of_scores": ("name: plateau, warmup_steps: 0, factor: 0.5, patience: 2, threshold: 0.01",
                          plateau(-1, factor=0.5, patience=2, threshold=0.01)),
}


def sampled(n):
    return np.unique(np.linspace(0, n - 1, SAMPLES).astype(int))


# ---- the file -----------------------------------------------------------------------------------------------

def write_weights(out, name, text, schedule=None, rules=None):
    out.write(f"optimizer;{name};{text}\n")
    for step, p, w in run(text, schedule, rules):
        at = sampled(len(w))
        out.write(f"weights;{step};{PARAMETERS[p][0]};" + " ".join(f"{i}:{w[i]:.17g}" for i in at) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", required=True, help="file to write")
    args = parser.parse_args()
    torch.set_num_threads(1)
    with open(args.output, "w") as out:
        out.write("# Weights after steps of optimizers, and rates of schedules, computed by\n"
                  "# tests/golden/optimizers_torch.py in float64, not by Trireme.\n")
        out.write(f"# torch {torch.__version__}, numpy {np.__version__}, Python {platform.python_version()}, "
                  f"{platform.machine()}\n")
        for name, text in CASES.items():
            write_weights(out, name, text)
        for name, (text, rules) in RULES.items():
            write_weights(out, name, text, rules=rules)
        for name, text in CYCLED.items():
            write_weights(out, name, text, one_cycle(text))
        for kind, cases in (("schedule", SCHEDULES), ("plateau", PLATEAUS)):
            for name, (text, rates) in cases.items():
                out.write(f"{kind};{name};optimizer: {{lr: {LR}}}, schedule: {{{text}}}\n")
                out.write("rates;" + " ".join(f"{rate:.17g}" for rate in rates) + "\n")


if __name__ == "__main__":
    main()
