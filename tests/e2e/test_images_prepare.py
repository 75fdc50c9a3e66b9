"""`trireme prepare images`: what is said, mistakes in options; `trireme inspect`."""
import os
import shutil
import struct
import tempfile
import zlib

from harness import *

folder = tempfile.mkdtemp()
out = f"{folder}/out.h5"


def png(path, height, width, channels, value):
    """8 bits, every byte `value`."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    head = struct.pack(">IIBBBBB", width, height, 8, {1: 0, 3: 2, 4: 6}[channels], 0, 0, 0)
    rows = (b"\0" + bytes([value]) * (width * channels)) * height
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows))
                   + chunk(b"IEND", b""))


def write(name, text):
    with open(f"{folder}/{name}", "w", encoding="utf-8") as file:
        file.write(text)
    return f"{folder}/{name}"


def said(words, *parts):
    result = run("prepare", "images", *words, "-o", out)
    good(result, f"prepare images {words}")
    for part in parts:
        check(part in result.err, f"prepare images {words} says {part!r}: {result.err}")
    shown = run("inspect", out)
    good(shown, "inspect")
    os.remove(out)
    return shown.out


def bad(code, part, *words):
    result = run("prepare", "images", *words, "-o", out)
    equal(result.code, code, f"exit code of prepare images {words}: {result.err}")
    equal(len(result.lines()), 1, f"one line of prepare images {words}: {result.err}")
    check(part in result.err, f"prepare images {words} says {part!r}: {result.err}")
    check(not os.path.exists(out), f"no output of prepare images {words}")


# ---- folders
animals = f"{folder}/animals"
for number in range(20):
    png(f"{animals}/{'dog' if number % 4 else 'cat'}/{number}.png", 6, 5, 3, 10 * number)
shown = said([animals, "--valid-share", "0.2"], "20 samples (16 train, 4 valid, 0 test)",
             "images of 6 x 5 pixels (height x width), coloured", "class cat: 5 (25.0 %)", "class dog: 15 (75.0 %)")
check("from image to class" in shown, f"inspect of images: {shown}")
said([animals, "--folds", "5", "--valid-share", "0"], "20 samples, 5 splits (the first: 16 train, 0 valid, 4 test)")
said([animals, "--colour", "grey", "--resize", "3x3"], "images of 3 x 3 pixels (height x width), grey",
     "images made grey or coloured: 20", "images made larger or smaller: 20")
write("animals/dog/notes.txt", "good dogs\n")
bad(65, "notes.txt: is neither PNG nor JPEG: it begins with 'good dogs", animals)
said([animals, "--skip-other"], "left out: files that are no images: 1")
os.remove(f"{animals}/dog/notes.txt")
png(f"{animals}/dog/clear.png", 6, 5, 4, 9)
bad(65, "clear.png: has transparent pixels", animals)
said([animals, "--alpha", "drop"], "images whose transparent pixels became opaque: 1")
os.remove(f"{animals}/dog/clear.png")
png(f"{animals}/dog/large.png", 2, 5, 3, 9)
bad(65, f"{animals}/dog/large.png has 2 x 5 pixels, but {animals}/cat/0.png has 6 x 5", animals)
bad(65, "0.png: tells of an image of 6 x 5 pixels, more than --most-pixels 29", animals, "--most-pixels", "29")
bad(64, "--alpha is 'keep', expected refuse or drop", animals, "--alpha", "keep")
for size in ("3", "3x", "0x3", "3x3x3", "axb", "99999x3"):
    bad(64, f"--resize is '{size}', expected HxW", animals, "--resize", size)

# ---- tables
table = write("pixels.csv", "".join(f"{i % 2},{i},{i + 1},{i + 2},{i + 3}\n" for i in range(30)))
shown = said(["--pixels", table, "--size", "2x2", "--test", table, "--valid-share", "0"],
             "60 samples (30 train, 0 valid, 30 test)", "images of 2 x 2 pixels (height x width), grey")
bad(65, "pixels.csv:1: 5 columns, but --size 2x3x1 needs 7", "--pixels", table, "--size", "2x3")
bad(64, "--size is '2x2x2', expected HxW or HxWxC", "--pixels", table, "--size", "2x2x2")
bad(64, "need --size", "--pixels", table)
bad(64, "not from several of them", animals, "--pixels", table, "--size", "2x2")
bad(64, "--valid is of tables of pixels, or one folder", "--images", table, "--labels", table, "--valid", animals)
bad(64, "give a folder of images", "--seed", "2")
bad(66, "nowhere.csv: No such file", "--pixels", f"{folder}/nowhere.csv", "--size", "2x2")
shutil.rmtree(folder)
finish()
