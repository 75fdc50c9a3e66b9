"""Transformers on samples in PyTorch: what ddp_sequences.py trains and translates with.

Models, parameters and their names are those of Trireme's `encoder` and `seq2seq`: a checkpoint's
/model/encoder/blocks/0/attn/qkv/weight is encoder.blocks.0.attn.qkv.weight here. A batch's tokens are
rows of one matrix, and a *way* says how they lie and how attention finds them:

    padded   [samples * longest, width] with rows of padding, a mask for attention where there is some
    packed   the real rows alone; attention works on a grid that rows are copied to and from
    nested   the real rows alone; attention works on jagged nested tensors
    modules  padded, with nn.TransformerEncoder and nn.TransformerDecoder (training only)
"""

import math

import h5py
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

WAYS = ("padded", "packed", "nested", "modules")
DEFAULTS = dict(kind="encoder", layers=2, decoder_layers=0, heads=4, width=128, ff_width=0, context=512,
                dropout=0.1, attention_dropout=0.0, norm="pre", positions="sinusoidal", activation="relu",
                init="xavier", pooling="mean", embeddings="separate", tied=True)


# ---- data ----------------------------------------------------------------------------------------


class Ragged:
    def __init__(self, group):
        self.offsets = group["offsets"][...].astype(np.int64)
        self.values = group["values"][...].astype(np.int64)
        self.lengths = np.diff(self.offsets)

    def __getitem__(self, i):
        return self.values[self.offsets[i]:self.offsets[i + 1]]


class Vocab:
    def __init__(self, group):
        offsets, data = group["offsets"][...].astype(np.int64), group["bytes"][...].tobytes()
        self.texts = [data[a:b].decode(errors="replace") for a, b in zip(offsets, offsets[1:])]
        unit = group.attrs["unit"]
        self.unit = unit.decode() if isinstance(unit, bytes) else unit
        self.bos, self.eos = (int(group.attrs.get(name, -1)) for name in ("bos", "eos"))

    def text_of(self, tokens):
        texts = [self.texts[t] for t in tokens]
        if self.unit == "subword":
            return "".join(texts).replace("\u2581", " ").strip()
        return (" " if self.unit in ("word", "symbol") else "").join(texts)


class Samples:
    """A data set of kind samples (data/FORMAT.md) whose inputs are tokens."""

    def __init__(self, path):
        with h5py.File(path) as file:
            self.inputs = Ragged(file["input"])
            self.input_vocab = Vocab(file["input/vocab"])
            self.is_pairs = "offsets" in file["target"]
            if self.is_pairs:
                self.targets = Ragged(file["target"])
                self.shared = "vocab" not in file["target"]
                self.target_vocab = self.input_vocab if self.shared else Vocab(file["target/vocab"])
                self.n_outputs = len(self.target_vocab.texts)
            else:
                self.labels = file["target/labels"][...].astype(np.int64)
                self.n_outputs = int(file["target/labels"].attrs["n_classes"])
            self.parts = {name: ids[...].astype(np.int64) for name, ids in file["splits/0"].items()}
        if self.is_pairs and min(self.input_vocab.eos, self.target_vocab.bos, self.target_vocab.eos) < 0:
            raise SystemExit(f"{path}: a vocabulary has no tokens for begin and end")

    def rows(self):
        """Tokens that enter the model for each sample: of pairs the source with </s>, and the target
        with <s> or, as what is to be said, </s>."""
        return self.inputs.lengths + (self.targets.lengths + 2 if self.is_pairs else 0)

    def input_of(self, i):
        tokens = self.inputs[i]
        return np.append(tokens, self.input_vocab.eos) if self.is_pairs else tokens

    def output_of(self, i):
        return np.append(self.target_vocab.bos, self.targets[i])

    def expected_of(self, i):
        return np.append(self.targets[i], self.target_vocab.eos)


def epoch_steps(rows, batch, batch_tokens):
    return -(-len(rows) // batch) if batch_tokens == 0 else -(-int(rows.sum()) // batch_tokens)


def batches(samples, batch, batch_tokens, pool, seed):
    """Ids of the samples of each step, without end. Samples are shuffled; those of `pool` steps
    together are sorted by length and cut into batches of as many samples or tokens, whose order is
    drawn again."""
    ids, rows = samples.parts["train"], samples.rows()
    n_steps = epoch_steps(rows[ids], batch, batch_tokens)
    random = np.random.default_rng(seed)
    while True:
        for group in np.array_split(random.permutation(ids), -(-n_steps // pool)):
            group = group[np.argsort(rows[group], kind="stable")]
            n = max(1, round(len(group) * n_steps / len(ids)))
            cost = np.cumsum(rows[group]) if batch_tokens else np.arange(1, len(group) + 1)
            cuts = np.searchsorted(cost, cost[-1] * np.arange(1, n) / n)
            parts = np.split(group, cuts)
            for k in random.permutation(len(parts)):
                yield parts[k]


# ---- rows of a batch -----------------------------------------------------------------------------


class Rows:
    """Where the tokens of some sequences lie, and the tokens, in one of the ways."""

    def __init__(self, sequences, way):
        lengths = np.array([len(s) for s in sequences])
        self.way, self.n, self.longest = way, len(lengths), int(lengths.max())
        self.packed = way in ("packed", "nested")
        place = np.arange(self.longest)
        real = place < lengths[:, None]
        self.lengths = torch.from_numpy(lengths)
        self.mask = None if real.all() else torch.from_numpy(real)
        self.at = torch.from_numpy(np.flatnonzero(real))  # real rows among those with padding
        tokens = torch.from_numpy(np.concatenate(sequences))
        if not self.packed:
            self.tokens = torch.zeros(self.n * self.longest, dtype=torch.int64).index_copy(0, self.at, tokens)
            self.places = torch.from_numpy(np.tile(place, self.n))
        else:
            self.tokens = tokens
            self.places = torch.from_numpy(np.broadcast_to(place, real.shape)[real])
        if way == "nested":
            self.offsets = torch.from_numpy(np.concatenate([[0], np.cumsum(lengths)]))
            self.shortest = int(lengths.min())

    def grid(self, x):
        """[rows, ...] -> [samples, longest, ...], whatever stands in the padding."""
        if self.packed and self.mask is not None:
            x = x.new_zeros(self.n * self.longest, *x.shape[1:]).index_copy(0, self.at, x)
        return x.view(self.n, self.longest, *x.shape[1:])

    def flat(self, x):
        """The way back."""
        x = x.reshape(self.n * self.longest, *x.shape[2:])
        return x.index_select(0, self.at) if self.packed and self.mask is not None else x

    def real(self, x):
        """The real rows of x."""
        return x if self.packed or self.mask is None else x.index_select(0, self.at)

    def jagged(self, x):
        """[rows, heads, width] -> nested [samples, heads, j, width]."""
        return torch.nested.nested_tensor_from_jagged(
            x.contiguous(), self.offsets, min_seqlen=self.shortest, max_seqlen=self.longest).transpose(1, 2)

    def mean(self, x):
        sample = torch.repeat_interleave(torch.arange(self.n), self.lengths)
        sums = x.new_zeros(self.n, x.shape[1]).index_add(0, sample, self.real(x))
        return sums / self.lengths[:, None]


def attend(q, k, v, rows, keys, causal, dropout):
    """q [rows, heads, width / heads], k and v likewise over the rows of keys -> [rows, width]."""
    if rows.way == "nested" and not causal:  # nested tensors on CPUs know no causal attention
        y = F.scaled_dot_product_attention(rows.jagged(q), keys.jagged(k), keys.jagged(v), dropout_p=dropout)
        return y.transpose(1, 2).values().flatten(1)
    q, k, v = (r.grid(x).transpose(1, 2) for r, x in ((rows, q), (keys, k), (keys, v)))
    # Padding lies behind the tokens, so causal attention of real rows never sees it.
    mask = None if causal or keys.mask is None else keys.mask[:, None, None, :]
    y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal, dropout_p=dropout)
    return rows.flat(y.transpose(1, 2).flatten(2))


# ---- models --------------------------------------------------------------------------------------


class Attention(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.heads, self.dropout = c["heads"], c["attention_dropout"]
        self.qkv = nn.Linear(c["width"], 3 * c["width"])
        self.proj = nn.Linear(c["width"], c["width"])

    def forward(self, x, rows, causal):
        q, k, v = self.qkv(x).view(len(x), 3, self.heads, -1).unbind(1)
        return self.proj(attend(q, k, v, rows, rows, causal, self.dropout * self.training))

    def step(self, x, cache):
        """x [hypotheses, width], one token each; cache: keys and values so far, or None."""
        q, k, v = self.qkv(x).view(len(x), 3, self.heads, 1, -1).unbind(1)
        if cache is not None:
            k, v = torch.cat([cache[0], k], 2), torch.cat([cache[1], v], 2)
        y = F.scaled_dot_product_attention(q, k, v)
        return self.proj(y.flatten(1)), (k, v)


class Cross(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.heads, self.dropout = c["heads"], c["attention_dropout"]
        self.q = nn.Linear(c["width"], c["width"])
        self.kv = nn.Linear(c["width"], 2 * c["width"])
        self.proj = nn.Linear(c["width"], c["width"])

    def forward(self, x, rows, memory, keys):
        q = self.q(x).view(len(x), self.heads, -1)
        k, v = self.kv(memory).view(len(memory), 2, self.heads, -1).unbind(1)
        return self.proj(attend(q, k, v, rows, keys, False, self.dropout * self.training))

    def keep(self, memory, keys):
        """Keys and values of the memory, [sentences, heads, longest, width / heads]; once a sentence."""
        k, v = self.kv(memory).view(len(memory), 2, self.heads, -1).unbind(1)
        return tuple(keys.grid(x).transpose(1, 2).contiguous() for x in (k, v))

    def step(self, x, kept, mask):
        """The hypotheses of a sentence are queries over the same keys."""
        n = len(kept[0])
        q = self.q(x).view(n, len(x) // n, self.heads, -1).transpose(1, 2)
        y = F.scaled_dot_product_attention(q, *kept, attn_mask=mask)
        return self.proj(y.transpose(1, 2).reshape(len(x), -1))


class FeedForward(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.gelu = c["activation"] == "gelu"
        self.fc = nn.Linear(c["width"], c["ff_width"])
        self.proj = nn.Linear(c["ff_width"], c["width"])

    def forward(self, x):
        h = self.fc(x)
        return self.proj(F.gelu(h, approximate="tanh") if self.gelu else F.relu(h))


class Block(nn.Module):
    def __init__(self, c, cross):
        super().__init__()
        self.post, self.dropout = c["norm"] == "post", c["dropout"]
        self.ln1, self.attn = nn.LayerNorm(c["width"]), Attention(c)
        if cross:
            self.ln_cross, self.cross = nn.LayerNorm(c["width"]), Cross(c)
        self.ln2, self.mlp = nn.LayerNorm(c["width"]), FeedForward(c)

    def part(self, x, norm, f):
        if self.post:
            return norm(x + F.dropout(f(x), self.dropout, self.training))
        return x + F.dropout(f(norm(x)), self.dropout, self.training)

    def forward(self, x, rows, causal=False, memory=None, keys=None):
        x = self.part(x, self.ln1, lambda h: self.attn(h, rows, causal))
        if memory is not None:
            x = self.part(x, self.ln_cross, lambda h: self.cross(h, rows, memory, keys))
        return self.part(x, self.ln2, self.mlp)

    def step(self, x, cache, kept, mask):
        grown = None

        def attention(h):
            nonlocal grown
            y, grown = self.attn.step(h, cache)
            return y

        x = self.part(x, self.ln1, attention)
        x = self.part(x, self.ln_cross, lambda h: self.cross.step(h, kept, mask))
        return self.part(x, self.ln2, self.mlp), grown


class Stack(nn.Module):
    def __init__(self, c, layers, cross):
        super().__init__()
        self.blocks = nn.ModuleList(Block(c, cross) for _ in range(layers))
        self.ln_f = nn.LayerNorm(c["width"]) if c["norm"] == "pre" else nn.Identity()

    def forward(self, x, rows, causal=False, memory=None, keys=None):
        for block in self.blocks:
            x = block(x, rows, causal, memory, keys)
        return self.ln_f(x)


def module_of(c, kind, stack, layer, layers):
    """PyTorch's own stack of layers, without the dropout that Trireme's layers do not have."""
    one = layer(c["width"], c["heads"], c["ff_width"], c["dropout"], F.gelu if c["activation"] == "gelu" else F.relu,
                batch_first=True, norm_first=c["norm"] == "pre")
    norm = nn.LayerNorm(c["width"]) if c["norm"] == "pre" else None
    made = stack(one, layers, norm, **(dict(enable_nested_tensor=False) if kind == "encoder" else {}))
    for each in made.layers:
        each.dropout = nn.Identity()  # of the feed-forward part's hidden layer
        each.self_attn.dropout = c["attention_dropout"]
        if kind == "decoder":
            each.multihead_attn.dropout = c["attention_dropout"]
    return made


class ModuleStack(nn.Module):
    """The same as Stack, of nn.TransformerEncoder or nn.TransformerDecoder."""

    def __init__(self, c, layers, cross):
        super().__init__()
        self.cross = cross
        self.stack = (module_of(c, "decoder", nn.TransformerDecoder, nn.TransformerDecoderLayer, layers) if cross
                      else module_of(c, "encoder", nn.TransformerEncoder, nn.TransformerEncoderLayer, layers))

    def forward(self, x, rows, causal=False, memory=None, keys=None):
        hidden = None if rows.mask is None else ~rows.mask
        if not self.cross:
            return rows.flat(self.stack(rows.grid(x), src_key_padding_mask=hidden))
        future = nn.Transformer.generate_square_subsequent_mask(rows.longest)
        return rows.flat(self.stack(
            rows.grid(x), keys.grid(memory), tgt_mask=future, tgt_is_causal=True,
            memory_key_padding_mask=None if keys.mask is None else ~keys.mask))


def waves(context, width):
    """Sinusoidal positions: sine in even and cosine in odd columns."""
    column = torch.arange(width, dtype=torch.float64)
    angle = torch.arange(context, dtype=torch.float64)[:, None] / 10000 ** ((column - column % 2) / width)
    return torch.where(column % 2 == 0, angle.sin(), angle.cos()).float()


class Model(nn.Module):
    """What encoder and seq2seq have in common: vectors of tokens and places, first values."""

    def __init__(self, c):
        super().__init__()
        self.c = c = dict(c, ff_width=c["ff_width"] or 4 * c["width"])
        self.scale = math.sqrt(c["width"]) if c["init"] == "xavier" else 1
        self.register_buffer("waves", waves(c["context"], c["width"]), persistent=False)

    def positions_of(self, side=""):
        """Learned positions as parameter, under its name."""
        return nn.Embedding(self.c["context"], self.c["width"]) if self.c["positions"] == "learned" else None

    def embed(self, tokens, places, table, positions):
        x = table(tokens) * self.scale
        x = x + (self.waves[places] if positions is None else positions(places))
        return F.dropout(x, self.c["dropout"], self.training)

    def initialise(self):
        for name, p in self.named_parameters():
            if p.dim() < 2:
                (nn.init.zeros_ if name.endswith("bias") else nn.init.ones_)(p)
            elif "wte" in name or self.c["init"] == "normal":
                nn.init.normal_(p, std=1 / self.scale if self.c["init"] == "xavier" else 0.02)
            else:
                nn.init.xavier_uniform_(p)


class Encoder(Model):
    def __init__(self, c, n_inputs, n_outputs, way):
        super().__init__(c)
        self.wte = nn.Embedding(n_inputs, c["width"])
        self.wpe = self.positions_of()
        self.body = (ModuleStack if way == "modules" else Stack)(self.c, c["layers"], False)
        self.head = nn.Linear(c["width"], n_outputs)
        self.initialise()

    def forward(self, rows, labels):
        """The sum of the losses."""
        x = self.body(self.embed(rows.tokens, rows.places, self.wte, self.wpe), rows)
        pooled = F.dropout(rows.mean(x), self.c["dropout"], self.training)
        return F.cross_entropy(self.head(pooled), labels, reduction="sum")



class Seq2Seq(Model):
    def __init__(self, c, n_inputs, n_outputs, way):
        super().__init__(c)
        kind = ModuleStack if way == "modules" else Stack
        self.encoder = kind(self.c, c["layers"], False)
        self.decoder = kind(self.c, c["decoder_layers"] or c["layers"], True)
        self.shared = c["embeddings"] == "shared"
        if self.shared:
            self.wte = nn.Embedding(n_inputs, c["width"])
        else:
            self.encoder.wte = nn.Embedding(n_inputs, c["width"])
            self.decoder.wte = nn.Embedding(n_outputs, c["width"])
        self.encoder.wpe, self.decoder.wpe = self.positions_of(), self.positions_of()
        self.head = None if c["tied"] else nn.Embedding(n_outputs, c["width"])
        self.smoothing = 0.0
        self.initialise()

    def table(self, side):
        return self.wte if self.shared else side.wte

    def output(self, y):
        return F.linear(y, (self.head or self.table(self.decoder)).weight)

    def encode(self, rows):
        side = self.encoder
        return side(self.embed(rows.tokens, rows.places, self.table(side), side.wpe), rows)

    def forward(self, source, target, expected):
        """The sum of the losses; the output layer sees real rows only."""
        side = self.decoder
        y = self.embed(target.tokens, target.places, self.table(side), side.wpe)
        y = target.real(side(y, target, True, self.encode(source), source))
        return F.cross_entropy(self.output(y), expected, reduction="sum", label_smoothing=self.smoothing)

    def step(self, tokens, place, caches, kept, mask):
        """Logits of the next token of each hypothesis, and the caches with this one in them."""
        side = self.decoder
        places = torch.full_like(tokens, place)
        y = self.embed(tokens, places, self.table(side), side.wpe)
        grown = []
        for block, cache, cross in zip(side.blocks, caches, kept):
            y, cache = block.step(y, cache, cross, mask)
            grown.append(cache)
        return self.output(side.ln_f(y)), grown


def make_model(c, samples, way):
    """A model of c["kind"] for the vocabularies of the data set."""
    kind = {"encoder": Encoder, "seq2seq": Seq2Seq}[c["kind"]]
    return kind(dict(DEFAULTS, **c), len(samples.input_vocab.texts), samples.n_outputs, way)


# ---- checkpoints ---------------------------------------------------------------------------------


def read_settings(text):
    """The group `model` of a configuration with a line for each key."""
    group, found = "", {}
    for line in text.splitlines():
        key, _, value = line.strip().partition(":")
        if not line.startswith(" "):
            group = key
        elif group == "model":
            value = value.strip()
            default = DEFAULTS.get(key)
            if isinstance(default, bool):
                found[key] = value == "true"
            elif default is not None:
                found[key] = type(default)(value)
    return found


def name_in_file(name):
    """body.blocks.0.ln1.weight of an encoder is /model/blocks/0/ln1/weight."""
    return "model/" + name.removeprefix("body.").replace(".", "/")


def load_model(path, samples):
    with h5py.File(path) as file:
        text = file["run"].attrs["config_text"]
        settings = read_settings(text.decode() if isinstance(text, bytes) else text)
        model = make_model(settings, samples, "padded")
        expected = {name_in_file(name): p for name, p in model.named_parameters()}
        stored = []
        file["model"].visititems(lambda name, item: stored.append("model/" + name)
                                 if isinstance(item, h5py.Dataset) else None)
        if set(stored) != set(expected):
            raise SystemExit(f"{path}: parameters differ: {sorted(set(stored) ^ set(expected))[:6]}")
        with torch.no_grad():
            for name, p in expected.items():
                p.copy_(torch.from_numpy(file[name][...]).view_as(p))
    return model.eval()


def save_model(path, model, settings):
    """What load_model reads; no checkpoint that Trireme would take."""
    lines = [f"  {key}: {str(value).lower()}" for key, value in dict(DEFAULTS, **settings).items()]
    with h5py.File(path, "w") as file:
        file.create_group("run").attrs["config_text"] = "\n".join(["model:", *lines])
        for name, p in model.named_parameters():
            file[name_in_file(name)] = p.detach().numpy()
