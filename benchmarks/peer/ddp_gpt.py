"""A GPT trained with PyTorch DistributedDataParallel over gloo: the peer that Trireme is timed against.

The model and the training step are those of Trireme's `decoder`: pre-norm blocks, fused q/k/v
projection, causal attention, GELU (tanh), learned positions, AdamW, gradients clipped to norm 1, no
dropout, synthetic tokens; float32, or with --autocast bfloat16 where PyTorch's autocast takes it. The
options are the fastest ones found on CPUs (README.md has the figures): fused AdamW, gradients as views
of the buckets, scaled_dot_product_attention.

    pip install torch h5py numpy
    torchrun --nproc-per-node 2 ddp_gpt.py --layers 4 --heads 4 --width 128 --context 64 --batch 12

Any launcher that sets RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT will do. Rank 0 prints one line
of JSON.
"""

import argparse
import json
import os
import resource
import statistics
import time

import torch
import torch.distributed as dist
from torch import nn
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x):
        N, T, C = x.shape
        q, k, v = self.qkv(x).view(N, T, 3, self.heads, C // self.heads).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.proj(y.transpose(1, 2).reshape(N, T, C))


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.ln1 = nn.LayerNorm(width)
        self.attn = Attention(width, heads)
        self.ln2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(approximate="tanh"), nn.Linear(4 * width, width)
        )

    def forward(self, x):
        x = x + self.attn(self.ln1(x))
        return x + self.mlp(self.ln2(x))


class GPT(nn.Module):
    def __init__(self, layers, heads, width, context, vocab, tied):
        super().__init__()
        self.wte = nn.Embedding(vocab, width)
        self.wpe = nn.Parameter(torch.empty(context, width))
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.ln_f = nn.LayerNorm(width)
        self.head = nn.Linear(width, vocab, bias=False)
        if tied:
            self.head.weight = self.wte.weight
        for name, p in self.named_parameters():
            if p.dim() >= 2:
                residual = name.endswith(("proj.weight", "mlp.2.weight"))
                nn.init.normal_(p, std=0.02 / (2 * layers) ** 0.5 if residual else 0.02)
            elif name.endswith("bias"):
                nn.init.zeros_(p)

    def forward(self, inputs, targets):
        x = self.wte(inputs) + self.wpe[: inputs.shape[1]]
        for block in self.blocks:
            x = block(x)
        logits = self.head(self.ln_f(x))
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten())


def process_age_s():
    """Seconds since the kernel started this process, interpreter and imports included."""
    with open("/proc/self/stat") as stat, open("/proc/uptime") as uptime:
        started = int(stat.read().rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
        return float(uptime.read().split()[0]) - started


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--context", type=int, default=64)
    parser.add_argument("--batch", type=int, default=12, help="sequences a rank")
    parser.add_argument("--vocab", type=int, default=65)
    parser.add_argument("--tied", action="store_true", help="the output matrix is the embedding")
    parser.add_argument("--autocast", action="store_true", help="forward and loss under bfloat16 autocast")
    parser.add_argument("--matmul-precision", choices=["highest", "high", "medium"], default="highest",
                        help="of float32 products: medium may take bfloat16 inside")
    parser.add_argument("--steps", type=int, default=100, help="timed steps")
    parser.add_argument("--warmup", type=int, default=10, help="steps before them")
    parser.add_argument("--threads", type=int, default=1, help="threads a rank")
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--optimizer", choices=["fused", "foreach", "loop"], default="fused")
    parser.add_argument("--static-graph", action=argparse.BooleanOptionalAction, default=False)
    parser.add_argument("--bucket-view", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--bucket-mb", type=float, default=25)
    parser.add_argument("--compile", action="store_true", help="torch.compile (needs a C++ compiler)")
    parser.add_argument("--bind", action="store_true", help="bind rank r to its own processors")
    return parser.parse_args()


def bind(local_rank, threads):
    """Gives each rank of this host the next `threads` of the allowed processors."""
    allowed = sorted(os.sched_getaffinity(0))
    mine = allowed[local_rank * threads : (local_rank + 1) * threads]
    if len(mine) == threads:
        os.sched_setaffinity(0, mine)


def main():
    args = parse_arguments()
    rank = int(os.environ.get("RANK", 0))
    world = int(os.environ.get("WORLD_SIZE", 1))
    if args.bind:
        bind(int(os.environ.get("LOCAL_RANK", rank)), args.threads)
    torch.set_num_threads(args.threads)
    torch.set_float32_matmul_precision(args.matmul_precision)
    torch.manual_seed(args.seed)
    if world > 1:
        dist.init_process_group("gloo", rank=rank, world_size=world)

    model = GPT(args.layers, args.heads, args.width, args.context, args.vocab, args.tied)
    n_weights = sum(p.numel() for p in model.parameters())
    decay = [p for p in model.parameters() if p.dim() >= 2]
    plain = [p for p in model.parameters() if p.dim() < 2]
    optimizer = torch.optim.AdamW(
        [{"params": decay, "weight_decay": 0.1}, {"params": plain, "weight_decay": 0.0}],
        lr=args.lr,
        betas=(0.9, 0.99),
        fused=args.optimizer == "fused",
        foreach=args.optimizer == "foreach",
    )
    parameters = decay + plain
    step_model = torch.compile(model) if args.compile else model
    if world > 1:
        step_model = DistributedDataParallel(
            step_model,
            gradient_as_bucket_view=args.bucket_view,
            static_graph=args.static_graph,
            bucket_cap_mb=args.bucket_mb,
        )

    generator = torch.Generator().manual_seed(args.seed + 1 + rank)
    tokens = torch.randint(args.vocab, (1 << 20,), generator=generator)
    window = torch.arange(args.context + 1)

    step_s, losses = [], []
    first_step_s = 0.0
    for step in range(args.warmup + args.steps):
        started = time.perf_counter()
        starts = torch.randint(len(tokens) - args.context - 1, (args.batch, 1), generator=generator)
        batch = tokens[starts + window]
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=args.autocast):
            loss = step_model(batch[:, :-1], batch[:, 1:])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        losses.append(loss.detach())
        step_s.append(time.perf_counter() - started)
        if step == 0:
            first_step_s = process_age_s()

    median_s = statistics.median(step_s[args.warmup :])
    mine = torch.tensor(
        [median_s, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6, first_step_s],
        dtype=torch.float64,
    )
    if world > 1:  # the slowest and the largest rank count
        dist.all_reduce(mine, dist.ReduceOp.MAX)
    if rank == 0:
        median_s, peak_rss_mb, first_step_s = mine.tolist()
        result = {
            "tokens_per_s": world * args.batch * args.context / median_s,
            "median_step_s": median_s,
            "peak_rss_mb": peak_rss_mb,
            "first_step_s": first_step_s,
            "first_loss": losses[0].item(),
            "last_loss": losses[-1].item(),
            "ranks": world,
            "weights": n_weights,
            "torch": torch.__version__,
            "arguments": vars(args),
        }
        print(json.dumps(result), flush=True)
    if world > 1:
        dist.barrier()  # nobody leaves while others still talk to rank 0's store
        # Leaves without the interpreter's clean-up: destroy_process_group, and exit after it, now
        # and then end in "terminate called without an active exception" on a busy machine.
        os._exit(0)


if __name__ == "__main__":
    main()
