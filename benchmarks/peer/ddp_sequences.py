"""Encoders and encoder-decoders trained and run with PyTorch: the peer of ../compare_sequences.py.

    pip install torch h5py numpy
    torchrun --nproc-per-node 2 ddp_sequences.py train sst2.h5 --model kind=encoder,layers=2 --batch 64
    torchrun --nproc-per-node 2 ddp_sequences.py train multi30k.h5 --model kind=seq2seq --batch-tokens 4096
    python ddp_sequences.py translate multi30k.h5 CHECKPOINT.h5 --beam 5 --output out.txt

Reads data sets of kind samples (data/FORMAT.md), so that both sides have the same tokens, and Trireme's
checkpoints of kind seq2seq, so that both translate alike. DistributedDataParallel over gloo; batches of
similar lengths, dealt to the ranks so that each has as many tokens; the loss of a step is its sum over
the number of targets of all ranks; AdamW; gradients clipped to norm 1. float32. Any launcher that sets
RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT will do; rank 0 prints one line of JSON.
"""

import argparse
import json
import os
import resource
import time

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

import sequences
from ddp_gpt import bind, process_age_s


def settings_of(text):
    """layers=2,norm=pre as a dict with the types of sequences.DEFAULTS."""
    found = {}
    for part in text.split(",") if text else []:
        key, _, value = part.partition("=")
        if key not in sequences.DEFAULTS:
            raise SystemExit(f"--model: no key {key}; there are {', '.join(sequences.DEFAULTS)}")
        default = sequences.DEFAULTS[key]
        found[key] = value == "true" if isinstance(default, bool) else type(default)(value)
    return found


def peak_rss_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def most_of_ranks(world, *values):
    """The greatest over the ranks of each value."""
    most = torch.tensor(values, dtype=torch.float64)
    if world > 1:
        dist.all_reduce(most, dist.ReduceOp.MAX)
    return most.tolist()


# ---- training ------------------------------------------------------------------------------------


def arguments_of_step(samples, ids, way):
    """What the model takes of these samples."""
    rows = sequences.Rows([samples.input_of(i) for i in ids], way)
    if not samples.is_pairs:
        return rows, torch.from_numpy(samples.labels[ids])
    target = sequences.Rows([samples.output_of(i) for i in ids], way)
    expected = torch.cat([torch.from_numpy(samples.expected_of(i)) for i in ids])
    return rows, target, expected


def make_optimizer(model, args):
    decay = [p for p in model.parameters() if p.dim() >= 2]
    plain = [p for p in model.parameters() if p.dim() < 2]
    return torch.optim.AdamW(
        [{"params": decay, "weight_decay": 0.1}, {"params": plain, "weight_decay": 0.0}],
        lr=args.lr, betas=(0.9, 0.98), fused=args.optimizer == "fused", foreach=args.optimizer == "foreach")


def train(args, rank, world):
    samples = sequences.Samples(args.data)
    rows = samples.rows()
    settings = settings_of(args.model)
    model = sequences.make_model(settings, samples, args.way)
    model.smoothing = args.label_smoothing
    optimizer = make_optimizer(model, args)
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    step_model = torch.compile(model, dynamic=True) if args.compile else model
    if world > 1:
        step_model = DistributedDataParallel(step_model, gradient_as_bucket_view=True)

    stream = sequences.batches(samples, args.batch, args.batch_tokens, args.pool, args.seed)
    seconds = tokens = first_step_s = 0
    losses = []
    for step in range(args.warmup + args.steps):
        started = time.perf_counter()
        ids = next(stream)
        given = arguments_of_step(samples, ids[rank::world], args.way)
        n_targets = int((samples.targets.lengths[ids] + 1).sum()) if samples.is_pairs else len(ids)
        loss = step_model(*given) / n_targets
        optimizer.zero_grad(set_to_none=True)
        (loss * world).backward()  # gradients are averaged over the ranks
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        losses.append(loss.detach())
        if step >= args.warmup:
            seconds += time.perf_counter() - started
            tokens += int(rows[ids].sum())
        if step == 0:
            first_step_s = process_age_s()

    if args.save and rank == 0:
        sequences.save_model(args.save, model, settings)
    seconds, peak, first_step_s = most_of_ranks(world, seconds, peak_rss_mb(), first_step_s)
    first_loss, last_loss = losses[0], losses[-1]
    if world > 1:
        dist.all_reduce(first_loss)
        dist.all_reduce(last_loss)
    part = rows[samples.parts["train"]]
    return {
        "tokens_per_s": tokens / seconds,
        "step_s": seconds / args.steps,
        "peak_rss_mb": peak,
        "first_step_s": first_step_s,
        "first_loss": first_loss.item(),
        "last_loss": last_loss.item(),
        "epoch_tokens": int(part.sum()),
        "epoch_steps": sequences.epoch_steps(part, args.batch, args.batch_tokens),
        "weights": sum(p.numel() for p in model.parameters()),
    }


# ---- beam search ---------------------------------------------------------------------------------


class Beam:
    """Hypotheses of n sentences, `beam` each; finished sentences leave. Scores are log-probabilities
    over ((5 + tokens) / 6)^reward, </s> counted; a sentence is done when no live hypothesis can score
    more than its best finished one."""

    def __init__(self, model, source, numbers, args, bos, eos):
        self.model, self.beam, self.eos, self.reward = model, args.beam, eos, args.length_reward
        memory = model.encode(source)
        self.kept = [block.cross.keep(memory, source) for block in model.decoder.blocks]
        self.mask = None if source.mask is None else source.mask[:, None, None, :]
        n = source.n
        self.caches = [None] * len(self.kept)
        self.numbers = numbers  # of the live sentences
        self.longest = (args.longest_ratio * source.lengths + args.longest_extra).long().clamp(
            max=model.c["context"])
        self.tokens = torch.full((n, 1, 1), bos)  # [sentences, hypotheses, tokens]; one until the first step
        self.log_prob = torch.zeros(n, 1)
        self.best = torch.full((n,), -torch.inf)
        self.found = {}  # number: tokens

    def divisor(self, n_tokens):
        return ((5 + n_tokens) / 6) ** self.reward

    def continuations(self, logits):
        """The 2 beam likeliest of each sentence, likeliest first: log-probability, parent, token."""
        k = min(2 * self.beam, logits.shape[-1])
        top, token = logits.topk(k, -1)
        top = top - logits.logsumexp(-1, keepdim=True)
        n = len(self.numbers)
        scores = (self.log_prob[:, :, None] + top.view(n, -1, k)).flatten(1)
        scores, at = scores.topk(k, -1)
        return scores, at // k, token.view(n, -1).gather(1, at)

    def step(self, t):
        """Token t + 1 of every live hypothesis."""
        n, beam, before = len(self.numbers), self.beam, self.tokens.shape[1]
        logits, self.caches = self.model.step(self.tokens[:, :, -1].flatten(), t, self.caches, self.kept, self.mask)
        scores, parent, token = self.continuations(logits)
        ends = token == self.eos
        self.finish(scores, parent, ends, t)
        place = torch.arange(scores.shape[1]) + ends * scores.shape[1]
        chosen = place.topk(beam, largest=False).indices  # of those that go on; ascending by place
        chosen = chosen.gather(1, place.gather(1, chosen).argsort(1))
        self.log_prob, parent, token = (x.gather(1, chosen) for x in (scores, parent, token))
        tokens = self.tokens.gather(1, parent[:, :, None].expand(-1, -1, t + 1))
        self.tokens = torch.cat([tokens, token[:, :, None]], 2)
        self.leave(parent + before * torch.arange(n)[:, None], t + 1)

    def finish(self, scores, parent, ends, t):
        ends = ends[:, :self.beam]
        if not ends.any():
            return
        score = (scores[:, :self.beam] / self.divisor(t + 1)).masked_fill(~ends, -torch.inf)
        best, which = score.max(1)
        for i in (best > self.best).nonzero().flatten().tolist():
            self.found[self.numbers[i]] = self.tokens[i, parent[i, which[i]], 1:].tolist()
        self.best = torch.maximum(self.best, best)

    def leave(self, order, n_tokens):
        """Takes finished sentences out and brings the caches into the order of the hypotheses."""
        live = self.log_prob[:, 0]
        bound = torch.maximum(live / self.divisor(n_tokens + 1), live / self.divisor(self.longest))
        cut = self.longest <= n_tokens
        for i in (cut & self.best.isinf()).nonzero().flatten().tolist():
            self.found[self.numbers[i]] = self.tokens[i, 0, 1:].tolist()
        stay = ~(cut | (self.best >= bound))
        if not stay.all():
            at = stay.nonzero().flatten()
            self.numbers = [self.numbers[i] for i in at.tolist()]
            self.kept = [tuple(x.index_select(0, at) for x in pair) for pair in self.kept]
            self.mask = None if self.mask is None else self.mask.index_select(0, at)
            self.longest, self.tokens, self.log_prob, self.best, order = (
                x.index_select(0, at) for x in (self.longest, self.tokens, self.log_prob, self.best, order))
        order = order.flatten()
        self.caches = [tuple(x.index_select(0, order) for x in pair) for pair in self.caches]

    def run(self):
        t = 0
        while self.numbers:
            self.step(t)
            t += 1
        return self.found


@torch.inference_mode()
def translate(args, rank, world):
    samples = sequences.Samples(args.data)
    model = sequences.load_model(args.checkpoint, samples)
    vocab = samples.target_vocab
    ids = samples.parts[args.part][:args.sentences]
    order = sorted(range(len(ids)), key=lambda i: -samples.inputs.lengths[ids[i]])[rank::world]
    if world > 1:
        dist.barrier()
    started = time.perf_counter()
    found = {}
    for first in range(0, len(order), args.batch):
        numbers = order[first:first + args.batch]
        source = sequences.Rows([samples.input_of(ids[i]) for i in numbers], "padded")
        found |= Beam(model, source, numbers, args, vocab.bos, vocab.eos).run()
    seconds, peak = most_of_ranks(world, time.perf_counter() - started, peak_rss_mb())
    parts = [found]
    if world > 1:
        parts = [None] * world
        dist.all_gather_object(parts, found)
    found = {i: tokens for part in parts for i, tokens in part.items()}
    if args.output and rank == 0:
        with open(args.output, "w", encoding="utf-8") as file:
            for i in range(len(ids)):
                file.write(vocab.text_of(found[i]) + "\n")
    return {
        "decode_s": seconds,
        "process_s": process_age_s(),
        "sentences_per_s": len(ids) / seconds,
        "tokens_per_s": sum(len(t) + 1 for t in found.values()) / seconds,
        "mean_tokens": sum(map(len, found.values())) / len(ids),
        "peak_rss_mb": peak,
        "batch": args.batch,
    }


# ---- the program ---------------------------------------------------------------------------------


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1, help="threads a rank")
    parser.add_argument("--bind", action="store_true", help="bind rank r to its own processors")
    parser.add_argument("--seed", type=int, default=1)
    tasks = parser.add_subparsers(dest="task", required=True)
    t = tasks.add_parser("train")
    t.add_argument("data")
    t.add_argument("--model", default="", help="e.g. kind=seq2seq,layers=3,width=256; keys of Trireme's group model")
    t.add_argument("--way", choices=sequences.WAYS, default="padded")
    t.add_argument("--batch", type=int, default=64, help="samples a step, of all ranks")
    t.add_argument("--batch-tokens", type=int, default=0, help="instead: tokens a step")
    t.add_argument("--pool", type=int, default=16, help="steps whose samples are sorted by length together")
    t.add_argument("--label-smoothing", type=float, default=0.0)
    t.add_argument("--steps", type=int, default=64, help="timed steps")
    t.add_argument("--warmup", type=int, default=16, help="steps before them")
    t.add_argument("--lr", type=float, default=1e-3)
    t.add_argument("--optimizer", choices=["fused", "foreach", "loop"], default="fused")
    t.add_argument("--compile", action="store_true", help="torch.compile with shapes that change")
    t.add_argument("--save", help="file for the weights, which translate reads")
    t = tasks.add_parser("translate")
    t.add_argument("data")
    t.add_argument("checkpoint")
    t.add_argument("--part", default="test")
    t.add_argument("--sentences", type=int, help="only the first N")
    t.add_argument("--beam", type=int, default=5)
    t.add_argument("--length-reward", type=float, default=1.0)
    t.add_argument("--longest-ratio", type=float, default=2.0)
    t.add_argument("--longest-extra", type=int, default=20)
    t.add_argument("--batch", type=int, default=32, help="sentences that a rank works on together")
    t.add_argument("--output", help="file for the translations")
    return parser.parse_args()


def main():
    args = parse_arguments()
    rank, world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    if args.bind:
        bind(int(os.environ.get("LOCAL_RANK", rank)), args.threads)
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed + (rank if args.task == "translate" else 0))
    if world > 1:
        dist.init_process_group("gloo", rank=rank, world_size=world)
    result = {"train": train, "translate": translate}[args.task](args, rank, world)
    if rank == 0:
        print(json.dumps(result | {"ranks": world, "torch": torch.__version__, "arguments": vars(args)}), flush=True)
    if world > 1:
        dist.barrier()
        os._exit(0)  # as ddp_gpt.py does, and for its reason


if __name__ == "__main__":
    main()
