"""Images augmented by formulas of their own, in double: what tests/unit/test_input_augment.c compares with.

    pip install numpy
    python augment.py -o augment_values.txt

Random numbers are Philox 4x32-10, written out again; turning and scaling is bilinear sampling by a
weighted sum of all pixels; colours go by torchvision's definition of ColorJitter, hue through colorsys.
"""

import argparse
import colorsys
import math
import platform

import numpy as np

FILL = np.array([0.5, 0.25, 0.125, 0.75])
AUGMENT = 11  # the purpose of the random numbers: trireme/core/random.h
MASK64, MASK32 = 2**64 - 1, 2**32 - 1


def mix64(x):
    x = (x + 0x9E3779B97F4A7C15) & MASK64
    x = ((x ^ x >> 30) * 0xBF58476D1CE4E5B9) & MASK64
    x = ((x ^ x >> 27) * 0x94D049BB133111EB) & MASK64
    return x ^ x >> 31


def philox(counter, key):
    c, k = list(counter), list(key)
    for _ in range(10):
        high0, low0 = divmod(0xD2511F53 * c[0], 2**32)
        high1, low1 = divmod(0xCD9E8D57 * c[2], 2**32)
        c = [high1 ^ c[1] ^ k[0], low1, high0 ^ c[3] ^ k[1], low0]
        k = [(k[0] + 0x9E3779B9) & MASK32, (k[1] + 0xBB67AE85) & MASK32]
    return c


def words(seed, epoch, sample, place, position):
    h = mix64(seed)
    for number in (AUGMENT, epoch, place):
        h = mix64(h ^ number)
    counter = [position & MASK32, position >> 32, sample & MASK32, sample >> 32]
    return philox(counter, [h & MASK32, h >> 32])


def uniform(seed, epoch, sample, low, high):
    w = words(seed, epoch, sample, 0, 0)
    return low + (high - low) * (((w[0] << 32 | w[1]) >> 11) * 2.0**-53)


def resample(image, matrix):
    """Pixel d from the middle is what was at matrix d, bilinear, FILL outside."""
    height, width, channels = image.shape
    middle = np.array([(width - 1) / 2, (height - 1) / 2])
    out = np.empty_like(image)
    for y in range(height):
        for x in range(width):
            u, v = middle + matrix @ (np.array([x, y]) - middle)
            weights = np.maximum(0, 1 - np.abs(np.arange(height) - v))[:, None] * np.maximum(
                0, 1 - np.abs(np.arange(width) - u)
            )
            out[y, x] = np.tensordot(weights, image, 2) + (1 - weights.sum()) * FILL[:channels]
    return out


def rotate(image, draw, number):
    a = math.radians(draw(-number, number))
    return resample(image, np.array([[math.cos(a), -math.sin(a)], [math.sin(a), math.cos(a)]]))


def scale(image, draw, number):
    return resample(image, np.eye(2) / draw(1 / (1 + number), 1 + number))


def factor(draw, number):
    return draw(max(0, 1 - number), 1 + number)


def grey(image):
    return image @ np.array([0.2989, 0.587, 0.114]) if image.shape[2] == 3 else image.mean(2)


def blend(image, other, share):
    return np.clip(share * image + (1 - share) * other, 0, 1)


def brightness(image, draw, number):
    return blend(image, 0, factor(draw, number))


def contrast(image, draw, number):
    return blend(image, grey(image).mean(), factor(draw, number))


def saturation(image, draw, number):
    return blend(image, grey(image)[..., None], factor(draw, number))


def hue(image, draw, number):
    by = draw(-number, number)
    out = np.empty_like(image)
    for at in np.ndindex(image.shape[:2]):
        h, s, v = colorsys.rgb_to_hsv(*image[at])
        out[at] = colorsys.hsv_to_rgb((h + by) % 1, s, v)
    return out


def noise(image, draw, number):
    flat = image.reshape(-1).copy()
    for i in range(0, len(flat), 4):
        w = draw.words(i // 4)
        z = []
        for a, b in (w[:2], w[2:]):
            radius, angle = math.sqrt(-2 * math.log((a + 1) / 2**32)), 2 * math.pi * b / 2**32
            z += [radius * math.cos(angle), radius * math.sin(angle)]
        part = flat[i : i + 4]
        part += number * np.array(z[: len(part)])
    return np.clip(flat, 0, 1).reshape(image.shape)


class Draw:
    def __init__(self, seed, epoch, sample):
        self.of = seed, epoch, sample

    def __call__(self, low, high):
        return uniform(*self.of, low, high)

    def words(self, position):
        return words(*self.of, 0, position)


CASES = [
    (rotate, 40, (6, 5, 3)),
    (rotate, 180, (4, 7, 1)),
    (rotate, 15, (5, 5, 4)),
    (scale, 0.5, (6, 5, 3)),
    (scale, 3, (5, 6, 1)),
    (brightness, 0.4, (4, 5, 3)),
    (brightness, 2, (3, 3, 1)),
    (contrast, 0.6, (4, 5, 3)),
    (contrast, 1.5, (3, 3, 1)),
    (saturation, 0.7, (4, 5, 3)),
    (saturation, 2, (4, 5, 3)),
    (hue, 0.1, (4, 5, 3)),
    (hue, 0.5, (7, 5, 3)),
    (noise, 0.1, (4, 5, 3)),
    (noise, 0.5, (3, 3, 1)),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("-o", "--output", required=True)
    path = parser.parse_args().output
    with open(path, "w", encoding="ascii") as file:
        print(f"# By tests/golden/augment.py, not by Trireme; numpy {np.__version__}, Python "
              f"{platform.python_version()}", file=file)
        print("# list;seed;epoch;sample;height;width;channels; values", file=file)
        for i, (operation, number, shape) in enumerate(CASES):
            for seed, epoch, sample in ((1, 0, 0), (7 + i, 3, 2**33 + i)):
                k = np.arange(math.prod(shape))
                image = (k * k * 37 % 101 / 100).reshape(shape)
                out = operation(image, Draw(seed, epoch, sample), number)
                values = " ".join(f"{x:.7f}" for x in out.reshape(-1))
                print(f"{operation.__name__} {number};{seed};{epoch};{sample};"
                      f"{';'.join(map(str, shape))}; {values}", file=file)


if __name__ == "__main__":
    main()
