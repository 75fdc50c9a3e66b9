"""Networks on images trained with PyTorch DistributedDataParallel over gloo: the peer of ../compare_images.py.

    pip install torch h5py numpy
    torchrun --nproc-per-node 2 ddp_images.py cifar10.h5 --model resnet --blocks 3 --crop 4 --flip --batch 128

Reads data sets of images (data/FORMAT.md). Each rank holds all training images in memory, with their
border, and draws its share of an epoch's order; images are cut out, turned over and scaled a batch at a
time. --way says how, words joined by +: all give the same images.

    slices | unfold   pieces as slices that are stacked, or one indexing of a view of all pieces
    bytes | floats    what is in memory: bytes that become floats by batch, or scaled floats
    last              channels last in memory, for the network too
    worker            batches are made by a process of their own (DataLoader)

Batch normalisation takes its statistics from a rank's share. float32. Any launcher that sets RANK,
WORLD_SIZE, MASTER_ADDR and MASTER_PORT will do; rank 0 prints one line of JSON.
"""

import argparse
import json
import os
import time

import h5py
import numpy as np
import torch
import torch.distributed as dist
from torch import nn
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel

from ddp_gpt import bind, process_age_s

# ---- models --------------------------------------------------------------------------------------


def mlp(shape, n_classes, args):
    """Widths with ReLU and dropout between them."""
    layers, n = [nn.Flatten()], shape[0] * shape[1] * shape[2]
    for width in args.widths:
        layers += [nn.Linear(n, width), nn.ReLU(inplace=True)]
        layers += [nn.Dropout(args.dropout)] if args.dropout else []
        n = width
    return nn.Sequential(*layers, nn.Linear(n, n_classes))


def conv(n_in, n_out, stride=1, kernel=3):
    return [nn.Conv2d(n_in, n_out, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(n_out)]


def cnn(shape, n_classes, args):
    """Stages of a convolution, batch norm, ReLU and a pool; dense layers with norm behind them."""
    layers, (channels, height, width) = [], shape
    for n in args.channels:
        layers += [*conv(channels, n), nn.ReLU(inplace=True), nn.MaxPool2d(2)]
        channels, height, width = n, height // 2, width // 2
    layers, n = [*layers, nn.Flatten()], channels * height * width
    for width in args.widths:
        layers += [nn.Linear(n, width, bias=False), nn.BatchNorm1d(width), nn.ReLU(inplace=True)]
        n = width
    return nn.Sequential(*layers, nn.Linear(n, n_classes))


class Block(nn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        stride = 1 if n_in == n_out else 2
        self.body = nn.Sequential(*conv(n_in, n_out, stride), nn.ReLU(inplace=True), *conv(n_out, n_out))
        self.shortcut = nn.Sequential(*conv(n_in, n_out, 2, 1)) if stride == 2 else nn.Identity()

    def forward(self, x):
        return F.relu(self.shortcut(x) + self.body(x), inplace=True)


def resnet(shape, n_classes, args):
    """He et al. 2016, section 4.2, with projections where sides are halved."""
    n, width = args.width, args.width
    layers = [*conv(shape[0], n), nn.ReLU(inplace=True)]
    for stage in range(3):
        for _ in range(args.blocks):
            layers.append(Block(n, width << stage))
            n = width << stage
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(n, n_classes))


MODELS = {"mlp": mlp, "cnn": cnn, "resnet": resnet}


# ---- data ----------------------------------------------------------------------------------------


def chunks(n, size=1000):
    """Slices, so that nothing of the size of the data set is made on the way."""
    return [slice(first, min(first + size, n)) for first in range(0, n, size)]


def moments(pixels, train):
    """Mean and deviation of each channel over the images `train`."""
    counts = np.zeros((pixels.shape[1], 256), np.int64)
    for ids in chunks(len(train)):
        part = pixels[train[ids]]
        for c in range(len(counts)):
            counts[c] += np.bincount(part[:, c].ravel(), minlength=256)
    shares, values = counts / counts.sum(1, keepdims=True), np.arange(256)
    mean = (shares * values).sum(1)
    return mean, np.sqrt((shares * (values - mean[:, None]) ** 2).sum(1))


class Images:
    """The training part, each image with `border` pixels of the mean colour around it."""

    def __init__(self, path, border, way, flip):
        with h5py.File(path) as file:
            train = file["splits/0/train"][...].astype(np.int64)
            self.labels = torch.from_numpy(file["target/labels"][...].astype(np.int64)[train])
            self.n_classes = int(file["target/labels"].attrs["n_classes"])
            pixels = file["input/pixels"][...]
        self.way, self.flip, self.border, self.shape = way, flip, border, pixels.shape[1:]
        mean, deviation = moments(pixels, train)
        self.mean, self.scale = (torch.tensor(x, dtype=torch.float32).view(1, -1, 1, 1) for x in (mean, 1 / deviation))
        channels, height, width = self.shape
        around = np.empty((len(train), channels, height + 2 * border, width + 2 * border), np.uint8)
        around[:] = mean.round().astype(np.uint8).reshape(1, -1, 1, 1)
        inside = around[:, :, border:border + height, border:border + width]
        for ids in chunks(len(train)):
            inside[ids] = pixels[train[ids]]
        self.pixels = torch.from_numpy(around)
        if "floats" in way:
            self.pixels = self.scaled(self.pixels)
        if "last" in way:
            self.pixels = self.pixels.contiguous(memory_format=torch.channels_last)

    def scaled(self, x):
        return x.float().sub_(self.mean).mul_(self.scale)

    def pieces(self, ids):
        _, height, width = self.shape
        if self.border == 0:
            return self.pixels[ids]
        corners = torch.randint(0, 2 * self.border + 1, (2, len(ids)))
        if "unfold" in self.way:
            view = self.pixels.unfold(2, height, 1).unfold(3, width, 1)  # [n, channels, down, across, height, width]
            return view[ids, :, corners[0], corners[1]]
        return torch.stack([self.pixels[i, :, y:y + height, x:x + width]
                            for i, y, x in zip(ids.tolist(), *corners.tolist())])

    def batch(self, ids):
        x = self.pieces(ids)
        if self.flip:
            x = torch.where((torch.rand(len(ids)) < 0.5).view(-1, 1, 1, 1), x.flip(3), x)
        if "floats" not in self.way:
            x = self.scaled(x)
        if "last" in self.way:
            x = x.contiguous(memory_format=torch.channels_last)
        return x, self.labels[ids]


class Batches(torch.utils.data.Dataset):
    """Item i is batch i of this rank, whole."""

    def __init__(self, images, args, rank, world):
        self.images, self.seed, self.rank, self.world = images, args.seed, rank, world
        self.share, self.n = args.batch // world, args.warmup + args.steps
        self.epoch_steps, self.epoch = len(images.labels) // args.batch, -1

    def __len__(self):
        return self.n

    def __getitem__(self, step):
        epoch, at = divmod(step, self.epoch_steps)
        if epoch != self.epoch:  # the same order on all ranks
            generator = torch.Generator().manual_seed(self.seed + epoch)
            self.order, self.epoch = torch.randperm(len(self.images.labels), generator=generator), epoch
        first = (at * self.world + self.rank) * self.share
        return self.images.batch(self.order[first:first + self.share])


def stream(images, args, rank, world):
    batches = Batches(images, args, rank, world)
    if "worker" in args.way:
        return iter(torch.utils.data.DataLoader(batches, batch_size=None, num_workers=1))
    return (batches[i] for i in range(len(batches)))


# ---- training ------------------------------------------------------------------------------------


def make_optimizer(model, args):
    fused = args.optimizer_form == "fused"
    if args.optimizer == "sgd":
        return torch.optim.SGD(model.parameters(), lr=args.lr, momentum=0.9, nesterov=True, weight_decay=5e-4,
                               fused=fused)
    return torch.optim.Adam(model.parameters(), lr=args.lr, fused=fused)


def train(args, rank, world):
    images = Images(args.data, args.crop, args.way, args.flip)
    torch.manual_seed(args.seed)
    model = MODELS[args.model](images.shape, images.n_classes, args)
    n_weights = sum(p.numel() for p in model.parameters())
    if "last" in args.way:
        model = model.to(memory_format=torch.channels_last)
    optimizer = make_optimizer(model, args)
    step_model = torch.compile(model) if args.compile else model
    if world > 1:  # running statistics are each rank's own: to send them at every step would cost time
        step_model = DistributedDataParallel(step_model, gradient_as_bucket_view=True, broadcast_buffers=False,
                                             static_graph=args.static_graph)
    torch.manual_seed(args.seed + 1 + rank)
    batches, losses, first_step_s = stream(images, args, rank, world), [], 0
    for step in range(args.warmup + args.steps):
        if step == args.warmup:
            started = time.perf_counter()
        x, labels = next(batches)
        loss = F.cross_entropy(step_model(x), labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
        if step == 0:
            first_step_s = process_age_s()
    seconds = time.perf_counter() - started
    numbers = torch.tensor([seconds, first_step_s], dtype=torch.float64)
    ends = torch.stack([losses[0], losses[-1]])
    if world > 1:
        dist.all_reduce(numbers, dist.ReduceOp.MAX)
        dist.all_reduce(ends)
    seconds, first_step_s = numbers.tolist()
    return {"images_per_s": args.steps * (args.batch // world) * world / seconds, "step_s": seconds / args.steps,
            "first_step_s": first_step_s, "first_loss": ends[0].item() / world, "last_loss": ends[1].item() / world,
            "weights": n_weights}


# ---- the program ---------------------------------------------------------------------------------


def numbers_of(text):
    return [int(word) for word in text.split(",")] if text != "none" else []


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("--model", choices=MODELS, required=True)
    parser.add_argument("--widths", type=numbers_of, default=[128, 128])
    parser.add_argument("--channels", type=numbers_of, default=[32, 64])
    parser.add_argument("--blocks", type=int, default=3, help="resnet: of a stage")
    parser.add_argument("--width", type=int, default=16, help="resnet: channels of the first stage")
    parser.add_argument("--dropout", type=float, default=0.0, help="mlp")
    parser.add_argument("--crop", type=int, default=0, help="pieces of images with so many pixels around them")
    parser.add_argument("--flip", action="store_true", help="half of the images, left and right")
    parser.add_argument("--way", type=lambda text: text.split("+"), default=["slices", "bytes"])
    parser.add_argument("--batch", type=int, default=128, help="images a step, of all ranks")
    parser.add_argument("--steps", type=int, default=64, help="timed steps")
    parser.add_argument("--warmup", type=int, default=8, help="steps before them")
    parser.add_argument("--optimizer", choices=["adam", "sgd"], default="adam")
    parser.add_argument("--optimizer-form", choices=["fused", "foreach"], default="fused")
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--static-graph", action="store_true")
    parser.add_argument("--compile", action="store_true", help="torch.compile (needs a C++ compiler)")
    parser.add_argument("--threads", type=int, default=1, help="threads a rank")
    parser.add_argument("--bind", action="store_true", help="bind rank r to its own processors")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def main():
    args = parse_arguments()
    rank, world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    if args.bind:
        bind(int(os.environ.get("LOCAL_RANK", rank)), args.threads)
    torch.set_num_threads(args.threads)
    if world > 1:
        dist.init_process_group("gloo", rank=rank, world_size=world)
    result = train(args, rank, world)
    if rank == 0:
        print(json.dumps(result | {"ranks": world, "torch": torch.__version__, "way": "+".join(args.way)}), flush=True)
    if world > 1:
        dist.barrier()
        os._exit(0)  # as ddp_gpt.py does, and for its reason


if __name__ == "__main__":
    main()
