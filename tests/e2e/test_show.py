"""`trireme inspect --samples`: texts and images as they are and augmented; `help augment`; mistakes."""
import struct
import tempfile
import zlib

from harness import *

folder = tempfile.mkdtemp()
texts = f"{folder}/texts.h5"


def write(name, text):
    with open(f"{folder}/{name}", "w", encoding="utf-8") as file:
        file.write(text)
    return f"{folder}/{name}"


def shown(*words):
    result = run("inspect", *words)
    good(result, f"inspect {words}")
    return result.out.splitlines()


def bad(code, part, *words):
    result = run("inspect", *words)
    equal(result.code, code, f"exit code of inspect {words}: {result.err}")
    equal(len(result.lines()), 1, f"one line of inspect {words}: {result.err}")
    check(part in result.err, f"inspect {words} says {part!r}: {result.err}")


# ---- texts
words = ["one two three four five six seven eight", "nine ten"]
pos, neg = write("pos.txt", f"{words[0]}\n{words[1]}\n"), write("neg.txt", f"{words[0]} {words[1]}\n" * 2)
good(run("prepare", "labelled", "--class", f"pos={pos}", "--class", f"neg={neg}", "--unit", "word",
         "--valid-share", "0", "-o", texts), "prepare")
equal(shown(texts, "--samples", "2"),
      [f"sample 0 (pos): {words[0]}", f"sample 2 (neg): {words[0]} {words[1]}"], "texts as they are")
equal(len(shown(texts, "--samples", "9")), 4, "as many as there are")
lines = shown(texts, "--samples", "2", "--augment", "drop 0.3, swap 0.3", "--epochs", "3")
equal([line.split(":")[0] for line in lines],
      ["sample 0 (pos)", "  epoch 0", "  epoch 1", "  epoch 2",
       "sample 2 (neg)", "  epoch 0", "  epoch 1", "  epoch 2"], "lines of augmented texts")
equal(lines[0], f"sample 0 (pos): {words[0]}", "what was there before")
check(len(set(line.split(":")[1] for line in lines[:4])) == 4, f"epochs differ: {lines}")
check(all(set(line.split(": ")[1].split()) <= set(words[0].split()) for line in lines[:4]), f"no other words: {lines}")
equal(shown(texts, "--samples", "2", "--augment", "drop 0.3, swap 0.3", "--epochs", "3"), lines, "the same again")
check(shown(texts, "--samples", "2", "--augment", "drop 0.3, swap 0.3", "--epochs", "3", "--seed", "2") != lines,
      "another seed")
equal(shown(texts, "--samples", "1", "--augment", "mask 1", "--epochs", "1")[1],
      "  epoch 0: " + " ".join(["<unk>"] * 8), "hidden words")



# ---- images: a sheet of them
def read_png(path):
    """Rows of bytes, and the bytes of a pixel; 8 bits, grey or colours, no interlacing."""
    with open(path, "rb") as file:
        content = file.read()
    equal(content[:8], b"\x89PNG\r\n\x1a\n", "signature of a PNG file")
    at, packed = 8, b""
    while at < len(content):
        size, name = struct.unpack(">I4s", content[at : at + 8])
        data = content[at + 8 : at + 8 + size]
        if name == b"IHDR":
            width, height, bits, colour = struct.unpack(">IIBB", data[:10])
            equal((bits, data[12]), (8, 0), "bits, interlacing")
        packed += data if name == b"IDAT" else b""
        at += 12 + size
    n = {0: 1, 2: 3}[colour]
    raw, rows, above = zlib.decompress(packed), [], bytes(width * n)
    for y in range(height):
        kind, row = raw[y * (width * n + 1)], bytearray(raw[y * (width * n + 1) + 1 : (y + 1) * (width * n + 1)])
        for x in range(width * n):
            a, b, c = row[x - n] if x >= n else 0, above[x], above[x - n] if x >= n else 0
            p = min((abs(b - c), 0, a), (abs(a - c), 1, b), (abs(a + b - 2 * c), 2, c))[2]
            row[x] = (row[x] + (0, a, b, (a + b) // 2, p)[kind]) % 256
        rows.append(bytes(row))
        above = row
    return rows, n


def cell(sheet, row, column, side, factor):
    """The image in a place of the sheet; each of its pixels must be one square."""
    rows, n = sheet
    top, left = 4 + row * (side * factor + 4), 4 + column * (side * factor + 4)
    image = []
    for y in range(side * factor):
        line = rows[top + y][left * n : (left + side * factor) * n]
        pixels = [line[x * n : x * n + n] for x in range(side * factor)]
        check(all(pixels[x] == pixels[x // factor * factor] for x in range(len(pixels))), f"squares of row {y}")
        if y % factor == 0:
            image.append([int(pixels[x * factor][0]) for x in range(side)])
        else:
            check(line == rows[top + y - y % factor][left * n : (left + side * factor) * n], f"squares of row {y}")
    return image


SIDE, N = 16, 5  # enlarged 6 times
pictures = [[[(40 * i + 7 * y + 3 * x) % 251 for x in range(SIDE)] for y in range(SIDE)] for i in range(N)]
idx = f"{folder}/images.idx", f"{folder}/labels.idx"
with open(idx[0], "wb") as file:
    file.write(struct.pack(">IIII", 0x803, N, SIDE, SIDE) + bytes(v for p in pictures for r in p for v in r))
with open(idx[1], "wb") as file:
    file.write(struct.pack(">II", 0x801, N) + bytes([0, 1, 0, 1, 1]))
images, png = f"{folder}/images.h5", f"{folder}/sheet.png"
good(run("prepare", "images", "--images", idx[0], "--labels", idx[1], "--valid-share", "0", "-o", images), "prepare images")
equal(shown(images, "--samples", "5", "-o", png)[1:],
      ["row 0: sample 0 (0), sample 1 (1), sample 2 (0)", "row 1: sample 3 (1), sample 4 (1)"], "what is on the sheet")
sheet = read_png(png)
equal((len(sheet[0]), len(sheet[0][0]), sheet[1]), (2 * 100 + 4, 3 * 100 + 4, 1), "size of the sheet")
for i in range(N):
    equal(cell(sheet, i // 3, i % 3, SIDE, 6), pictures[i], f"image {i}")
check(set(sheet[0][0]) == {255} and cell(sheet, 1, 2, SIDE, 6)[0][0] == 255, "paper")

told = shown(images, "--samples", "2", "--augment", "flip_alternate, shift 1", "--epochs", "4", "-o", png)
equal(told[1:], ["columns: as it is; then epochs 0 to 3 of 'flip_alternate, shift 1'", "row 0: sample 0 (0)",
                 "row 1: sample 2 (0)"], "what is on the sheet")
sheet = read_png(png)
mean = round(sum(v for p in pictures for r in p for v in r) / (N * SIDE * SIDE))


def moved(image, down, right):
    inside = range(SIDE)
    return [[image[y + down][x + right] if y + down in inside and x + right in inside else mean for x in inside]
            for y in inside]


for row, sample in enumerate([0, 2]):
    equal(cell(sheet, row, 0, SIDE, 6), pictures[sample], f"sample {sample} as it is")
    sides = []
    for epoch in range(4):
        got = cell(sheet, row, 1 + epoch, SIDE, 6)
        turned = [line[::-1] for line in pictures[sample]]
        fits = [side for side, image in enumerate((pictures[sample], turned)) for d in (-1, 0, 1) for r in (-1, 0, 1)
                if got == moved(image, d, r)]
        equal(len(fits), 1, f"sample {sample} in epoch {epoch} is moved by one at most")
        sides += fits
    check(sides in ([0, 1, 0, 1], [1, 0, 1, 0]), f"sample {sample} alternates: {sides}")
bad(64, "images are shown on a sheet; give -o SHEET.png", images, "--samples", "1")
bad(66, "/none/sheet.png", images, "--samples", "1", "-o", f"{folder}/none/sheet.png")

# ---- the list of a configuration
config = write("run.yaml", "run: {seed: 5}\ndata:\n  path: elsewhere.h5\n  augment:\n  - drop 0.3\n  - swap 0.3\n")
equal(shown(texts, "--samples", "2", "--config", config),
      shown(texts, "--samples", "2", "--augment", "drop 0.3, swap 0.3", "--seed", "5"), "as a configuration says")
equal(shown(texts, "--samples", "2", "--config", config, "--seed", "1", "--epochs", "3"), lines, "another seed than its")
none = write("none.yaml", "run: {seed: 5}\n")
equal(shown(texts, "--samples", "2", "--config", none), shown(texts, "--samples", "2"), "a configuration without a list")

# ---- mistakes
bad(64, "give --augment LIST or --config FILE, not both", texts, "--samples", "1", "--augment", "drop 1", "--config", config)
bad(66, "cannot read the configuration", texts, "--samples", "1", "--config", f"{folder}/nothing.yaml")
bad(78, "data.augment: 'swop 0.1': there is no 'swop'; did you mean 'swap'?; for sequences of tokens there "
        "are drop P, mask P, swap P", texts, "--samples", "1", "--augment", "swop 0.1")
bad(78, "'crop' is not for sequences of tokens", texts, "--samples", "1", "--augment", "crop 4")
bad(64, "go with --samples N", texts, "--augment", "drop 0.1")
bad(64, "--epochs and --seed go with --augment LIST or --config FILE", texts, "--samples", "1", "--epochs", "2")
bad(64, "has texts, which are printed; leave out --output", texts, "--samples", "1", "-o", f"{folder}/x.png")
graph = f"{folder}/graph.h5"
good(run("prepare", "synth", "--graph", "-o", graph), "prepare")
bad(65, "kind is 'graph', expected 'samples'", graph, "--samples", "1")

# ---- help
page = run("help", "augment")
good(page, "help augment")
check("  crop N [reflect]   " in page.out and "\nsequences of tokens:\n" in page.out, f"help augment: {page.out}")

finish()
