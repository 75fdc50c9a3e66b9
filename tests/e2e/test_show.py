"""`trireme inspect --samples`: texts and images as they are and augmented; `help augment`; mistakes."""
import tempfile

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

config = write("run.yaml", "run: {seed: 5}\ndata:\n  path: elsewhere.h5\n  augment:\n  - drop 0.3\n  - swap 0.3\n")
equal(shown(texts, "--samples", "2", "--config", config),
      shown(texts, "--samples", "2", "--augment", "drop 0.3, swap 0.3", "--seed", "5"), "as a configuration says")
equal(shown(texts, "--samples", "2", "--config", config, "--seed", "1", "--epochs", "3"), lines, "another seed than its")
none = write("none.yaml", "run: {seed: 5}\n")
equal(shown(texts, "--samples", "2", "--config", none), shown(texts, "--samples", "2"), "a configuration without a list")

# ---- mistakes
bad(64, "give --augment LIST or --config FILE, not both", texts, "--samples", "1", "--augment", "drop 1", "--config", config)
bad(78, "cannot read the configuration", texts, "--samples", "1", "--config", f"{folder}/nothing.yaml")
bad(78, "augmentation 'swop 0.1': there is no 'swop'; did you mean 'swap'?; for sequences of tokens there "
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
