"""`trireme prepare labelled`, `pairs` and `synth --pairs`: what is said, mistakes; `trireme inspect`."""
import os
import shutil
import tempfile

from harness import *

folder = tempfile.mkdtemp()
out = f"{folder}/out.h5"


def write(name, text):
    with open(f"{folder}/{name}", "w", encoding="utf-8", newline="") as file:
        file.write(text)
    return f"{folder}/{name}"


def said(words, *parts):
    result = run("prepare", *words, "-o", out)
    good(result, f"prepare {words}")
    for part in parts:
        check(part in result.err, f"prepare {words} says {part!r}: {result.err}")
    shown = run("inspect", out)
    good(shown, "inspect")
    os.remove(out)
    return shown.out


def bad(code, part, *words):
    result = run("prepare", *words, "-o", out)
    equal(result.code, code, f"exit code of prepare {words}: {result.err}")
    equal(len(result.lines()), 1, f"one line of prepare {words}: {result.err}")
    check(part in result.err, f"prepare {words} says {part!r}: {result.err}")
    check(not os.path.exists(out), f"no output of prepare {words}")


# ---- labelled
moods = write("moods.csv", 'mood,text\n' + "".join(f'{"up" if i % 2 else "down"},"word{i}, and more"\n'
                                                   for i in range(40)))
shown = said(["labelled", moods, "--text", "text", "--label", "mood", "--valid-share", "0.2"],
             "40 samples (32 train, 8 valid, 0 test)", "class down: 20 (50.0 %)",
             "train: texts of 3 tokens at the median, 3 at 95 %, 3 at most; 0.00 % unknown",
             "valid: texts of 3 tokens at the median, 3 at 95 %, 3 at most; 33.33 % unknown")
check("from tokens to class" in shown and "| word0, and more" in shown, f"inspect of labelled: {shown}")
said(["labelled", moods, "--text", "2", "--label", "mood", "--folds", "4", "--unit", "char", "--longest",
      "14", "--over", "cut"], "40 samples, 4 splits", "cut: samples of more than 14 tokens: 40",
     "note: with several splits the vocabulary is made of all samples")
ups, downs = write("ups.txt", "fine\n\nvery fine\n"), write("downs.txt", "bad\r\n")
said(["labelled", "--class", f"up={ups}", "--class", f"down={downs}", "--empty", "drop", "--valid-share",
      "0"], "left out: samples without text: 1", "class up: 2 (66.7 %)")
bad(65, "ups.txt:2: the text is empty", "labelled", "--class", f"up={ups}", "--class", f"down={downs}")
bad(64, "--over is 'shorten', expected one of refuse, keep, cut, drop", "labelled", moods, "--over",
    "shorten", "--longest", "3")
bad(64, "--over needs --longest N", "labelled", moods, "--over", "cut")
bad(64, "give a table to train on", "labelled")

# ---- pairs
source, target = write("a.en", "a dog\na cat\na dog\n"), write("a.de", "ein Hund\neine Katze\nder Hund\n")
shown = said(["pairs", "--source", source, "--target", target, "--unit", "word", "--valid-share", "0"],
             "3 samples (3 train, 0 valid, 0 test)", "vocabulary: 11 tokens of unit word")
check("2  different ones" in shown and "|   -> ein Hund" in shown, f"inspect of pairs: {shown}")
table = write("words.tsv", "ab\tAH B\nba\tB AH\n")
said(["pairs", table, "--test", table, "--unit", "char", "--target-unit", "symbol", "--valid-share", "0"],
     "vocabulary: 5 tokens of unit char", "vocabulary of the targets: 5 tokens of unit symbol",
     "whose source is also trained on: 2")
words = os.path.join(folder, "words.h5")
good(run("prepare", "pairs", table, "--unit", "char", "--target-unit", "symbol", "--valid-share", "0", "-o", words),
     "words with two vocabularies")
said(["pairs", table, "--vocabulary", words, "--vocab", "separate", "--valid-share", "0"],
     "vocabulary of the targets: 5 tokens of unit symbol")
bad(64, "words.h5: has a vocabulary of sources and one of targets; give --vocab separate", "pairs", table,
    "--vocabulary", words)
bad(65, "a.en has 3 lines, ", "pairs", "--source", source, "--target", downs)
bad(64, "has no file beside it", "pairs", "--source", source)
bad(64, "--columns is '1', expected two columns like 1,2", "pairs", table, "--columns", "1")
bad(64, "with --target-unit vocabularies are separate", "pairs", table, "--target-unit", "symbol",
    "--vocab", "shared")
bad(64, "from parallel files (--source, --target) or from tables, not both", "pairs", table, "--source",
    source, "--target", target)

# ---- synthetic pairs
shown = said(["synth", "--pairs", "sort", "--samples", "100", "--valid", "10", "--test", "10",
              "--test-length", "21-30"], "120 samples (100 train, 10 valid, 10 test)")
check("synthetic: sort of 50 symbols, seed 1" in shown, f"inspect of synthetic pairs: {shown}")
bad(64, "no task 'turn'", "synth", "--pairs", "turn")
bad(64, "--length is '9-3', expected lengths like 1-20", "synth", "--pairs", "copy", "--length", "9-3")
bad(64, "takes no --symbols", "synth", "--symbols", "9")
shutil.rmtree(folder)
finish()
