"""The network of lesson.yaml trained with PyTorch, to be set beside ours: curves and test accuracies.

    pip install torch h5py numpy
    python lesson_torch.py mnist.h5 [--seeds 0,1,2] [--epochs 10]

784-128-128-10, ReLU, dropout 0.2, uniform first weights by Glorot's rule; Adam 0.001; 0.01 times the sum of
squares of the second layer's weights is added to the loss, as Keras' kernel_regularizer=l2(0.01) does. Reads the
data set that ours is trained on: its parts, pixels by mean and deviation of the training part. Losses are shown
without the penalty; of training it is the mean over an epoch, with dropout. Prints tab-separated lines.
"""

import argparse
import statistics

import h5py
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


def read_parts(path):
    """{part: (x [n, pixels], labels)}"""
    with h5py.File(path) as file:
        pixels = file["input/pixels"][...]
        labels = torch.from_numpy(file["target/labels"][...].astype(np.int64))
        ids = {part: file[f"splits/0/{part}"][...].astype(np.int64) for part in ("train", "valid", "test")}
    x = torch.from_numpy(pixels.reshape(len(pixels), -1)).float() / 255
    known = x[ids["train"]]
    mean, deviation = known.mean(dtype=torch.float64).item(), known.double().std(correction=0).item()
    return {part: ((x[i] - mean) / deviation, labels[i]) for part, i in ids.items()}


def make_model(n_pixels):
    layers = [nn.Linear(n_pixels, 128), nn.ReLU(), nn.Dropout(0.2), nn.Linear(128, 128), nn.ReLU(), nn.Dropout(0.2),
              nn.Linear(128, 10)]
    for layer in layers:
        if isinstance(layer, nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    return nn.Sequential(*layers)


def train_epoch(model, optimizer, x, labels, batch, generator):
    """Mean loss."""
    model.train()
    total, second = 0, model[3].weight
    for ids in torch.randperm(len(x), generator=generator).split(batch):
        loss = F.cross_entropy(model(x[ids]), labels[ids])
        optimizer.zero_grad(set_to_none=True)
        (loss + 0.01 * second.square().sum()).backward()
        optimizer.step()
        total += loss.item() * len(ids)
    return total / len(x)


@torch.inference_mode()
def score(model, x, labels):
    """Loss and accuracy."""
    model.eval()
    y = model(x)
    return F.cross_entropy(y, labels).item(), (y.argmax(1) == labels).double().mean().item()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    parts, found = read_parts(args.data), []
    print("seed\tepoch\ttrain_loss\tvalid_loss\tvalid_accuracy\ttest_accuracy")
    for seed in map(int, args.seeds.split(",")):
        torch.manual_seed(seed)
        generator = torch.Generator().manual_seed(seed)
        model = make_model(parts["train"][0].shape[1])
        optimizer = torch.optim.Adam(model.parameters(), lr=0.001, fused=True)
        for epoch in range(1, args.epochs + 1):
            loss = train_epoch(model, optimizer, *parts["train"], args.batch, generator)
            valid_loss, valid_accuracy = score(model, *parts["valid"])
            accuracy = score(model, *parts["test"])[1]
            print(f"{seed}\t{epoch}\t{loss:.4f}\t{valid_loss:.4f}\t{valid_accuracy:.4f}\t{accuracy:.4f}", flush=True)
        found.append(100 * accuracy)
    print(f"test accuracy, % : mean {statistics.fmean(found):.2f} of {', '.join(f'{a:.2f}' for a in found)}")


if __name__ == "__main__":
    main()
