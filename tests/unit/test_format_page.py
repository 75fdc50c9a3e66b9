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


def main():
    with open(os.path.join(sys.argv[1], "data", "FORMAT.md"), encoding="utf-8") as page:
        code = re.search(r"```python\n(.*?)```", page.read(), re.S).group(1)
    lines = code.strip().count("\n") + 1
    if lines != 10:
        sys.exit(f"data/FORMAT.md promises ten lines, there are {lines}")
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "corpus.txt"), "w", encoding="utf-8", newline="") as out:
            out.write(TEXT)
        subprocess.run([sys.executable, "-c", code], cwd=folder, check=True)
        shown = subprocess.run([os.environ["TRIREME"], "inspect", "corpus.h5"], cwd=folder,
                               capture_output=True, text=True)
        if shown.returncode != 0:
            sys.exit(f"inspect ended with {shown.returncode}: {shown.stderr}")
        for part in (f"{len(TEXT):,}", "created by   h5py", "Wie schön ist doch die Welt! 🌍"):
            if part not in shown.stdout:
                sys.exit(f"inspect does not show {part!r}:\n{shown.stdout}")


main()
