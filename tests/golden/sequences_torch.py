"""The losses of models on sequences, computed by PyTorch from the same initial weights and data.

    pip install torch h5py numpy
    python sequences_torch.py --trireme PROGRAM -o sequences_losses.csv

Runs every case of sequences_cases.py with the program, for the sake of its initial weights (the
step-0 checkpoint), its resolved configuration (the same file) and the samples of each step
(samples.csv); then trains the same model in float64 on the data set file. The losses of the run
itself are not looked at. tests/golden/make does all of it.

Nothing here is taken from Trireme's sources: the models are written with torch.nn.functional from
Vaswani et al. 2017, arXiv:1706.03762, sample by sample, so that nothing is padded and nothing masked
but the future; --check compares the layers with PyTorch's own.
"""

import argparse
import csv
import math
import platform
import sys
import tempfile

import h5py
import numpy as np
import torch
from torch.nn import functional as F

import sequences_cases
from decoder_torch import read_config, read_weights, train


# ---- data ----------------------------------------------------------------------------------------


def ragged(group):
    offsets, values = group["offsets"][...], torch.from_numpy(group["values"][...].astype(np.int64))
    return [values[b:e] for b, e in zip(offsets[:-1], offsets[1:])]


class Samples:
    """A data set file of kind samples."""

    def __init__(self, path, split):
        with h5py.File(path) as file:
            self.inputs = ragged(file["input"])
            self.input_vocab = dict(file["input/vocab"].attrs)
            self.target_vocab = self.input_vocab
            self.train = file[f"splits/{split}/train"][...].astype(np.int64)
            if "target/vocab" in file:
                self.target_vocab = dict(file["target/vocab"].attrs)
            if "target/values" in file:
                self.targets = ragged(file["target"])
            else:
                name = "target/labels" if "target/labels" in file else "target/numbers"
                self.targets = torch.from_numpy(np.array(file[name]).astype(
                    np.int64 if name == "target/labels" else np.float64))


# ---- layers --------------------------------------------------------------------------------------


def waves(n, width):
    """Section 3.5."""
    place = torch.arange(n, dtype=torch.float64)[:, None]
    angle = place / 10000 ** (torch.arange(0, width, 2, dtype=torch.float64) / width)
    return torch.stack([angle.sin(), angle.cos()], 2).reshape(n, -1)[:, :width]


class Transformer:
    """Stacks of layers on a dictionary of weights; a sequence is [its tokens, width]."""

    def __init__(self, config, weights):
        self.c = {key.partition(".")[2]: value for key, value in config.items() if key.startswith("model.")}
        self.w, self.heads = weights, int(self.c["heads"])
        self.post = self.c["norm"] == "post"
        self.activation = {"relu": F.relu, "gelu": lambda x: F.gelu(x, approximate="tanh")}[self.c["activation"]]

    def linear(self, x, name):
        return F.linear(x, self.w[f"{name}/weight"], self.w.get(f"{name}/bias"))

    def norm(self, x, name):
        return F.layer_norm(x, x.shape[-1:], self.w[f"{name}/weight"], self.w.get(f"{name}/bias"), eps=1e-5)

    def attention(self, q, k, v, causal=False):
        q, k, v = (x.unflatten(1, (self.heads, -1)).transpose(0, 1) for x in (q, k, v))
        return F.scaled_dot_product_attention(q, k, v, is_causal=causal).transpose(0, 1).flatten(1)

    def self_attention(self, x, name, causal):
        return self.linear(self.attention(*self.linear(x, f"{name}/qkv").chunk(3, 1), causal), f"{name}/proj")

    def cross_attention(self, x, name, memory):
        k, v = self.linear(memory, f"{name}/kv").chunk(2, 1)
        return self.linear(self.attention(self.linear(x, f"{name}/q"), k, v), f"{name}/proj")

    def feed_forward(self, x, name):
        return self.linear(self.activation(self.linear(x, f"{name}/fc")), f"{name}/proj")

    def part(self, x, norm, function):
        if self.post:
            return self.norm(x + function(x), norm)
        return x + function(self.norm(x, norm))

    def layer(self, x, name, causal=False, memory=None):
        x = self.part(x, f"{name}/ln1", lambda x: self.self_attention(x, f"{name}/attn", causal))
        if memory is not None:
            x = self.part(x, f"{name}/ln_cross", lambda x: self.cross_attention(x, f"{name}/cross", memory))
        return self.part(x, f"{name}/ln2", lambda x: self.feed_forward(x, f"{name}/mlp"))

    def embed(self, tokens, vectors, places):
        """Section 3.4: vectors drawn with deviation 1 / sqrt(width) are multiplied by sqrt(width)."""
        x = F.embedding(tokens, vectors)
        if self.c["init"] == "xavier":
            x = x * math.sqrt(x.shape[1])
        if self.c["positions"] == "sinusoidal":
            return x + waves(*x.shape)
        return x + self.w[places][: len(x)]

    def stack(self, x, path, n, **how):
        """n layers; pre-norm has a norm at the end."""
        for i in range(n):
            x = self.layer(x, f"{path}blocks/{i}", **how)
        return x if self.post else self.norm(x, f"{path}ln_f")


# ---- models: the mean loss of a batch of samples ---------------------------------------------------


class Encoder(Transformer):
    def __init__(self, config, weights, data):
        super().__init__(config, weights)
        self.smoothing = float(config["loss.label_smoothing"])
        self.data, self.numbers = data, data.targets.is_floating_point()
        known = data.targets[data.train]
        if self.numbers:  # zero mean and unit deviation over the training part
            self.data.targets = (data.targets - known.mean()) / known.std(correction=0)
        else:
            n_classes = len(weights["head/weight"])
            self.weights = torch.ones(n_classes, dtype=torch.float64)
            if config["loss.class_weights"] == "balanced":  # n / (classes * samples of the class)
                self.weights = len(known) / (n_classes * known.bincount(minlength=n_classes).clamp(min=1).double())

    def output(self, tokens):
        if self.c["pooling"] == "first":
            tokens = F.pad(tokens, (1, 0), value=int(self.data.input_vocab["bos"]))
        x = self.stack(self.embed(tokens, self.w["wte/weight"], "wpe/weight"), "", int(self.c["layers"]))
        pool = {"mean": lambda x: x.mean(0), "max": lambda x: x.amax(0), "first": lambda x: x[0]}
        return self.linear(pool[self.c["pooling"]](x), "head")

    def loss(self, samples):
        outputs = torch.stack([self.output(self.data.inputs[i]) for i in samples])
        targets = self.data.targets[samples]
        if self.numbers:
            return F.mse_loss(outputs[:, 0], targets)
        # A sample counts as its class does, its smoothed share too; PyTorch's own weights would not.
        losses = F.cross_entropy(outputs, targets, label_smoothing=self.smoothing, reduction="none")
        weights = self.weights[targets]
        return (weights * losses).sum() / weights.sum()


class Seq2seq(Transformer):
    def __init__(self, config, weights, data):
        super().__init__(config, weights)
        self.smoothing, self.data = float(config["loss.label_smoothing"]), data
        self.n_layers = int(self.c["layers"])
        self.n_decoder_layers = int(self.c["decoder_layers"]) or self.n_layers
        shared = self.c["embeddings"] == "shared"
        self.source, self.target = (weights["wte/weight" if shared else f"{side}/wte/weight"]
                                    for side in ("encoder", "decoder"))
        self.head = self.target if self.c["tied"] == "true" else weights["head/weight"]

    def logits(self, source, target):
        """Of each token of the target, and of the end behind it."""
        source = F.pad(source, (0, 1), value=int(self.data.input_vocab["eos"]))
        given = F.pad(target, (1, 0), value=int(self.data.target_vocab["bos"]))
        x = self.embed(source, self.source, "encoder/wpe/weight")
        memory = self.stack(x, "encoder/", self.n_layers)
        y = self.embed(given, self.target, "decoder/wpe/weight")
        return F.linear(self.stack(y, "decoder/", self.n_decoder_layers, causal=True, memory=memory), self.head)

    def loss(self, samples):
        """Mean over the tokens of the batch."""
        eos = int(self.data.target_vocab["eos"])
        logits = torch.cat([self.logits(self.data.inputs[i], self.data.targets[i]) for i in samples])
        wanted = torch.cat([F.pad(self.data.targets[i], (0, 1), value=eos) for i in samples])
        return F.cross_entropy(logits, wanted, label_smoothing=self.smoothing)


# ---- training ------------------------------------------------------------------------------------


def compute(run, path):
    """Losses and norms of what a run has computed on the data set `path`."""
    with open(f"{run}/samples.csv") as file:
        steps = [np.array(row["samples"].split(), dtype=np.int64) for row in csv.DictReader(file)]
    with h5py.File(f"{run}/checkpoints/step_00000000.h5") as file:
        text = file["run"].attrs["config_text"]
        config = read_config(text.decode() if isinstance(text, bytes) else text)
        weights = read_weights(file, torch.float64)
    for key in ("model.dropout", "model.attention_dropout"):
        if float(config[key]) != 0:
            sys.exit(f"{key} must be 0: no two programs draw the same masks")
    data = Samples(path, int(config["data.split"]))
    model = {"encoder": Encoder, "seq2seq": Seq2seq}[config["model.kind"]](config, weights, data)
    # Ids count on from epoch to epoch: epoch * samples + place in the training part.
    return train(config, weights, lambda step: model.loss(data.train[steps[step] % len(data.train)]), len(steps))


# ---- against PyTorch's layers ---------------------------------------------------------------------


def compare(name, ours, theirs):
    error = (ours - theirs).abs().max().item()
    print(f"{name}: largest difference {error:.1e}")
    if error > 1e-12:
        sys.exit(f"{name} differs from PyTorch {torch.__version__}")


def renamed(peer):
    """Weights of a layer of PyTorch's by our names."""
    w = dict(peer.named_parameters())
    cross, decoder = "multihead_attn.", hasattr(peer, "multihead_attn")
    names = {"attn/qkv": "self_attn.in_proj_", "attn/proj": "self_attn.out_proj.", "ln1": "norm1.",
             "mlp/fc": "linear1.", "mlp/proj": "linear2.", "ln2": "norm3." if decoder else "norm2."}
    if decoder:
        names |= {"cross/proj": f"{cross}out_proj.", "ln_cross": "norm2."}
    found = {f"x/{ours}/{end}": w[theirs + end] for ours, theirs in names.items() for end in ("weight", "bias")}
    for end in ("weight", "bias") if decoder else ():
        q, k, v = w[f"{cross}in_proj_{end}"].chunk(3)
        found |= {f"x/cross/q/{end}": q, f"x/cross/kv/{end}": torch.cat([k, v])}
    return found


def check_layers():
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(1)
    x, memory = torch.randn(7, 12), torch.randn(5, 12)
    future = torch.ones(7, 7, dtype=torch.bool).triu(1)
    with torch.no_grad():
        for norm in ("pre", "post"):
            how = dict(d_model=12, nhead=3, dim_feedforward=17, dropout=0, batch_first=True, norm_first=norm == "pre")
            config = {"model.heads": "3", "model.norm": norm, "model.activation": "relu"}
            peer = torch.nn.TransformerEncoderLayer(**how)
            for w in peer.parameters():
                w.normal_(std=0.5)
            compare(f"{norm}-norm encoder", Transformer(config, renamed(peer)).layer(x, "x"), peer(x[None])[0])
            peer = torch.nn.TransformerDecoderLayer(**how)
            for w in peer.parameters():
                w.normal_(std=0.5)
            ours = Transformer(config, renamed(peer)).layer(x, "x", True, memory)
            compare(f"{norm}-norm decoder", ours, peer(x[None], memory[None], tgt_mask=future)[0])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trireme", help="the program")
    parser.add_argument("--cases", help="only these")
    parser.add_argument("-o", "--output", help="CSV file to write")
    parser.add_argument("--check", action="store_true", help="only compare layers with PyTorch's own")
    args = parser.parse_args()

    torch.set_num_threads(1)
    if args.check:
        check_layers()
        return
    if not args.trireme or not args.output:
        parser.error("give --trireme PROGRAM and -o FILE, or --check")
    cases = args.cases.split(",") if args.cases else sequences_cases.cases()
    with tempfile.TemporaryDirectory(prefix="trireme-golden-") as folder, open(args.output, "w") as out:
        data = sequences_cases.prepare(args.trireme, folder)
        out.write("# Losses (nats a sample or token; squared errors of numbers) computed by\n"
                  "# tests/golden/sequences_torch.py in float64, not by Trireme.\n")
        out.write(f"# torch {torch.__version__}, numpy {np.__version__}, h5py {h5py.__version__}, "
                  f"Python {platform.python_version()}, {platform.machine()}\n")
        out.write("case,step,loss,grad_norm\n")
        for name in cases:
            run = sequences_cases.train([], args.trireme, folder, data, name, name)
            rows = compute(run, data[sequences_cases.data_of(name)])
            for step, (loss, norm) in enumerate(rows, start=1):
                out.write(f"{name},{step},{loss:.12g},{norm:.12g}\n")


if __name__ == "__main__":
    main()
