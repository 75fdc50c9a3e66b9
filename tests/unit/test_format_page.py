#!/usr/bin/env python3
"""The h5py lines in data/FORMAT.md, run as they stand, make a file that `trireme inspect` accepts.

usage: test_format_page.py SOURCE_DIR   with the program's path in TRIREME
"""
import os
import re
import subprocess
import sys
import tempfile

try:
    import h5py  # noqa: F401
    import numpy  # noqa: F401
except ImportError:
    print("skipped: no h5py for this Python (Debian: python3-h5py)")
    sys.exit(77)

TEXT = "Wie schön ist doch die Welt! 🌍\r\n" * 50


def check(folder, code, file, parts):
    """Ten lines make a file of which `inspect` shows the parts."""
    lines = code.strip().count("\n") + 1
    if lines != 10:
        sys.exit(f"data/FORMAT.md promises ten lines, there are {lines} for {file}")
    subprocess.run([sys.executable, "-c", code], cwd=folder, check=True)
    shown = subprocess.run([os.environ["TRIREME"], "inspect", file], cwd=folder,
                           capture_output=True, text=True)
    if shown.returncode != 0:
        sys.exit(f"inspect ended with {shown.returncode}: {shown.stderr}")
    for part in parts:
        if part not in shown.stdout:
            sys.exit(f"inspect does not show {part!r}:\n{shown.stdout}")


def main():
    with open(os.path.join(sys.argv[1], "data", "FORMAT.md"), encoding="utf-8") as page:
        codes = re.findall(r"```python\n(.*?)```", page.read(), re.S)
    if len(codes) != 5:
        sys.exit(f"data/FORMAT.md has {len(codes)} pieces of Python, expected 5")
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "corpus.txt"), "w", encoding="utf-8", newline="") as out:
            out.write(TEXT)
        check(folder, codes[0], "corpus.h5",
              [f"{len(TEXT):,}", "created by   h5py", "Wie schön ist doch die Welt! 🌍"])
        check(folder, codes[1], "moods.h5",
              ["kind         samples", "4  from tokens to class", "3  train, 1 valid, 0 test, 0 in none",
               "| a dud"])
        check(folder, codes[2], "bars.h5",
              ["12  from image to class", "12  samples have names", "name bar/0.png", "8  pixels high, 8 wide, 1 channel",
               "in the mean of pixels from 0 to 1", "|   **", "8  train, 4 valid, 0 test, 0 in none"])
        check(folder, codes[3], "ring.h5",
              ["kind         graph", "source       a ring", "600  symmetric: 300 both ways",
               "8  dense", "50  train, 25 valid, 25 test, 0 in none"])
        check(folder, codes[4], "shop.h5",
              ["kind         shop", "10  2 of them bought nothing before day 20", "60  60 different pairs",
               "days 20 to 29", "3  words and fields, 12 values"])


main()
