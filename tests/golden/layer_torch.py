"""A layer of PyTorch's Transformer encoder with given weights: its output and gradients, sampled.

    pip install torch numpy
    python layer_torch.py -o layer_values.csv

The layer is post-norm with ReLU: 10 sequences of 32, width 512, 8 heads, 2048 in the feed-forward
part. Weights, input and the gradient of the output are too many to be stored; both sides make them
from a hash of (array, index), as numbers that float32 holds exactly (given()). For each array the
file has how it is made, the sum and the sum of squares of what came out, and some elements.
"""

import argparse
import platform

import numpy as np
import torch

N, T, WIDTH, HEADS, FF_WIDTH = 10, 32, 512, 8, 2048
SAMPLES = 40  # elements of each array

# Our name, PyTorch's, base and scale. "output": what is given is its gradient.
ARRAYS = [
    ("input", None, 0, 4),
    ("output", None, 0, 2),
    ("attn/qkv/weight", "self_attn.in_proj_weight", 0, 0.125),
    ("attn/qkv/bias", "self_attn.in_proj_bias", 0, 0.5),
    ("attn/proj/weight", "self_attn.out_proj.weight", 0, 0.125),
    ("attn/proj/bias", "self_attn.out_proj.bias", 0, 0.5),
    ("ln1/weight", "norm1.weight", 1, 0.5),
    ("ln1/bias", "norm1.bias", 0, 0.5),
    ("mlp/fc/weight", "linear1.weight", 0, 0.125),
    ("mlp/fc/bias", "linear1.bias", 0, 0.5),
    ("mlp/proj/weight", "linear2.weight", 0, 0.0625),
    ("mlp/proj/bias", "linear2.bias", 0, 0.5),
    ("ln2/weight", "norm2.weight", 1, 0.5),
    ("ln2/bias", "norm2.bias", 0, 0.5),
]


def hashed(number, n):
    """[n] numbers of 16 bits: Wellons' lowbias32 of the index and the array's number."""
    h = np.arange(n, dtype=np.uint32) * np.uint32(0x9E3779B1) + np.uint32(number) * np.uint32(0x01000193)
    h ^= h >> np.uint32(16)
    h *= np.uint32(0x7FEB352D)
    h ^= h >> np.uint32(15)
    h *= np.uint32(0x846CA68B)
    return h >> np.uint32(16)


def given(number, shape, base, scale):
    """base + scale u, u in [-1/2, 1/2)."""
    u = hashed(number, int(np.prod(shape))) / 65536 - 0.5
    return torch.from_numpy(base + scale * u).reshape(shape)


def run(dtype):
    """{name: output, or gradient} as float64."""
    layer = torch.nn.TransformerEncoderLayer(WIDTH, HEADS, FF_WIDTH, dropout=0, batch_first=True, dtype=dtype)
    parameters = dict(layer.named_parameters())
    x = given(0, (N, T, WIDTH), *ARRAYS[0][2:]).to(dtype).requires_grad_()
    gradient = given(1, (N, T, WIDTH), *ARRAYS[1][2:]).to(dtype)
    with torch.no_grad():
        for number, (_, name, base, scale) in enumerate(ARRAYS):
            if name:
                parameters[name].copy_(given(number, parameters[name].shape, base, scale))
    y = layer(x)
    y.backward(gradient)
    values = {"input": x.grad, "output": y.detach()}
    values |= {ours: parameters[theirs].grad for ours, theirs, _, _ in ARRAYS if theirs}
    return {name: value.double().numpy().ravel() for name, value in values.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", required=True, help="CSV file to write")
    args = parser.parse_args()
    torch.set_num_threads(1)
    values, rounded = run(torch.float64), run(torch.float32)
    with open(args.output, "w") as out:
        out.write("# A layer's output and gradients, computed by tests/golden/layer_torch.py in float64, not by\n"
                  "# Trireme.\n")
        out.write(f"# torch {torch.__version__}, numpy {np.__version__}, Python {platform.python_version()}, "
                  f"{platform.machine()}\n")
        out.write("array,number,elements,base,scale,greatest,sum,squares\n")
        for number, (name, _, base, scale) in enumerate(ARRAYS):
            v = values[name]
            greatest = np.abs(v).max()
            error = np.abs(rounded[name] - v).max() / greatest
            out.write(f"# PyTorch's float32 is {error:.1e} of the greatest value away\n")
            out.write(f"{name},{number},{len(v)},{base},{scale},{greatest:.12g},{v.sum():.15g},{(v**2).sum():.15g}\n")
            for i in np.unique(np.linspace(0, 1, SAMPLES) ** 1.3 * (len(v) - 1)).astype(np.int64):
                out.write(f",{i},{v[i]:.12g}\n")


if __name__ == "__main__":
    main()
