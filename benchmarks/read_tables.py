#!/usr/bin/env python3
"""How fast `trireme prepare graph` reads edges, and with how much memory.

    benchmarks/read_tables.py [--program build/release/trireme] [--other OLDER] [--megabytes 100] [--repeats 3]

The same random edges as tabs, as commas with a header, packed by gzip, and as names. Told is the best of the
repeats: seconds of the processor, megabytes of (unpacked) text a second of it, and the peak of resident
memory. With --other the plain form is also read by another build, in turn with ours.
"""
import argparse
import gzip
import multiprocessing
import os
import random
import subprocess
import tempfile


def write(folder, megabytes):
    random.seed(1)
    n = megabytes * 1000000 // 14
    edges = [(random.getrandbits(20), random.getrandbits(20)) for _ in range(n)]
    forms = {"tabs": ("\t", "", "{}", open), "commas": (",", "source,target\n", "{}", open),
             "gzip": ("\t", "", "{}", lambda path, mode: gzip.open(path, mode, compresslevel=1)),
             "names": (",", "", "person_{}", open)}
    for name, (separator, head, form, opener) in forms.items():
        line = form + separator + form + "\n"
        with opener(os.path.join(folder, name), "wt") as file:
            file.write(head)
            for at in range(0, n, 100000):
                file.write("".join(line.format(u, v) for u, v in edges[at:at + 100000]))


def measure(program, path, out):
    process = subprocess.Popen([program, "prepare", "graph", "--edges", path, "-o", out],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, (program, path)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default="build/release/trireme")
    parser.add_argument("--other")
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        # In a process of its own: what it takes would count as the peak of those that are started later.
        writer = multiprocessing.Process(target=write, args=(folder, given.megabytes))
        writer.start()
        writer.join()
        names = ["tabs", "commas", "gzip", "names"]
        out = os.path.join(folder, "out.h5")
        cases = [(name, given.program, name) for name in names]
        if given.other:
            cases.insert(1, ("tabs", given.other, "tabs, other build"))
        best = {}
        for _ in range(given.repeats):
            for name, program, label in cases:
                now = measure(program, os.path.join(folder, name), out)
                best[label] = min(best.get(label, now), now)
        size = os.path.getsize(os.path.join(folder, "tabs")) / 1e6
        for label, (seconds, megabytes) in best.items():
            text = os.path.getsize(os.path.join(folder, "names")) / 1e6 if label == "names" else size
            print(f"{label:18} {seconds:6.2f} s  {text / seconds:6.1f} MB/s  {megabytes:6.0f} MiB")


main()
