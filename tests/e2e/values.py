"""Small data sets of images and of rows for the end-to-end tests, made here, and configurations on them."""
import gzip
import random
import struct
import zlib

from sequences import config, prepare, write
from harness import *

COLOURS, SHOPS = "red green blue grey".split(), "north south east".split()


# ---- rows of a table: numbers with gaps, categories, and a target of each kind

def table_rows(n, seed=1, gaps=0.1, colours=COLOURS):
    """CSV text: x, y, z, colour, shop; price (a number), kind (a class), tags (any number of classes)."""
    r = random.Random(seed)
    text = "x,y,z,colour,shop,price,kind,tags\n"
    for _ in range(n):
        x, y, z = r.gauss(0, 1), r.gauss(5, 2), r.gauss(100, 30)
        colour, shop = r.choice(colours), r.choice(SHOPS)
        price = 40 + 6 * x - 2 * y + (9 if colour == "red" else 0)
        kind = "dear" if price > 36 else "fair" if price > 28 else "cheap"
        tags = [tag for tag, true in (("hot", x > 0), ("new", y > 5), ("red", colour == "red")) if true]
        fields = [f"{value:.4f}" if r.random() > gaps else "" for value in (x, y, z)]
        fields += [name if r.random() > gaps else "" for name in (colour, shop)]
        text += ",".join(fields + [f"{price:.3f}", kind, "|".join(tags)]) + "\n"
    return text


TARGETS = {"price": ("--target", "price", "--kind", "kind=skip", "--kind", "tags=skip"),
           "kind": ("--target", "kind", "--kind", "price=skip", "--kind", "tags=skip"),
           "tags": ("--target", "tags", "--labels-separator", "|", "--kind", "price=skip", "--kind", "kind=skip")}


def table(folder, target, name=None, n=240, seed=1, more=("--test-share", "0.2"), **how):
    name = name or target
    rows = write(f"{folder}/{name}.csv", table_rows(n, seed, **how))
    return prepare(folder, name, "table", rows, *TARGETS[target], *more)


# ---- images: bars that lie, stand, or cross, with noise; IDX files as MNIST has them

def bars(n, side=12, seed=1, kinds=3):
    """Pixels of n images and their classes."""
    r = random.Random(seed)
    pixels, labels = bytearray(), bytearray()
    for _ in range(n):
        kind, at = r.randrange(kinds), r.randrange(2, side - 3)
        for row in range(side):
            for column in range(side):
                lies, stands = at <= row < at + 2, at <= column < at + 2
                on = (lies, stands, lies or stands)[kind]
                pixels.append(min(255, 180 * on + r.randrange(60)))
        labels.append(kind)
    return bytes(pixels), bytes(labels)


def idx(path, kind, dims, content):
    with (gzip.open if path.endswith(".gz") else open)(path, "wb") as file:
        file.write(struct.pack(f">BBBB{len(dims)}I", 0, 0, kind, len(dims), *dims) + content)
    return path


def grey_png(path, height, width, pixels):
    """8 bits a pixel."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + pixels[row * width:(row + 1) * width] for row in range(height))
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
                   + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
    return path


def image_files(folder, name, n, side=12, **how):
    """Two IDX files, of images and of classes."""
    pixels, labels = bars(n, side, **how)
    return (idx(f"{folder}/{name}-images", 8, (n, side, side), pixels),
            idx(f"{folder}/{name}-labels", 8, (n,), labels))


def images(folder, name="bars", n=240, more=("--test-share", "0.2"), **how):
    pixels, labels = image_files(folder, name, n, **how)
    return prepare(folder, name, "images", "--images", pixels, "--labels", labels, *more)


# ---- the settings of the tests of layouts and restarts; 7 blocks: no rank count there divides them

# name: (data set, augmentation, keys)
CASES = {
    "price": ("price", "noise 0.1, drop 0.1, mixup 0.3",
              "model: {kind: mlp, widths: '12,9', norm: batch, dropout: 0.2, levels: embedded}\n"
              "batch: {size: 23, blocks: 7}\nloss: {numbers: huber}"),
    "kind": ("kind", "",
             "model: {kind: mlp, widths: '12', norm: layer, input_dropout: 0.1, levels: embedded}\n"
             "batch: {size: 23, blocks: 7}\nloss: {label_smoothing: 0.1, class_weights: balanced}"),
    "tags": ("tags", "mixup 0.5", "model: {kind: mlp, widths: '10'}\nbatch: {size: 23, blocks: 7}"),
    "bars": ("bars", "crop 2, flip, noise 0.05, mixup 0.3",
             "model: {kind: cnn, channels: '4,6', widths: '9', dropout: 0.2, stage_dropout: 0.1}\n"
             "batch: {size: 23, blocks: 7}"),
    "resnet": ("bars", "shift 1, rotate 10, cutout 3",
               "model: {kind: resnet, blocks: 1, width: 4}\nbatch: {size: 23, blocks: 7}\n"
               "loss: {label_smoothing: 0.1}"),
}


def configs_of(folder, steps=16, every=8):
    """Prepares the data sets and writes the settings: {name: path of its configuration}."""
    data = {target: table(folder, target) for target in TARGETS}
    data["bars"] = images(folder)
    return {name: config(f"{folder}/{name}.yaml", f"{data[which]}, augment: '{augment}'", body, steps, every)
            for name, (which, augment, body) in CASES.items()}
