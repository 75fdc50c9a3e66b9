"""`trireme prepare labelled`, `pairs`, `table` and `synth --pairs`: what is said, mistakes; `trireme inspect`."""
import os
import re
import shutil
import subprocess
import sys
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

# ---- samples without a label; what the vocabulary of a text, which has no token for it, lacks
gaps = write("gaps.csv", "mood,text\nup,good\n?,what\ndown,bad\n,none\nup,nice\ndown,foul\n")
GAPS = ["labelled", gaps, "--text", "text", "--label", "mood"]
bad(65, "gaps.csv:5: the label is empty; give the line one, or remove it (--no-label ''", *GAPS)
said([*GAPS, "--no-label", "?"], "4 samples (", "left out: samples without a label: 2", "class up: 2 (50.0 %)")
said([*GAPS, "--no-label", ""], "5 samples (", "left out: samples without a label: 1", "class ?: 1 (20.0 %)")
good(run("prepare", "text", write("plain.txt", "godbaf\nnice\n" * 9), "-o", f"{folder}/plain.h5"), "prepare text")
GAPS += ["--no-label", "?", "--vocabulary", f"{folder}/plain.h5"]
bad(65, "gaps.csv:7: first of the texts: 2 characters ('u' (U+0075), 'l' (U+006C)) are not among the", *GAPS)
said([*GAPS, "--unknown", "skip"], "texts: left out: 2 characters ('u' (U+0075), 'l' (U+006C)), which")
strange = [word.replace("gaps", "strange") for word in GAPS]
write("strange.csv", "mood,text\nup,good\ndown,xyz\nup,nice\ndown,bad\n")
bad(65, "strange.csv:3: nothing of the text is in the vocabulary", *strange, "--unknown", "skip")
said([*strange, "--unknown", "skip", "--empty", "drop"], "3 samples (", "left out: samples without text: 1")

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

# ---- tables
rooms = subprocess.run([sys.executable, f"{SOURCE}/examples/tables/make_table", "400", "3"], capture_output=True, text=True)
equal(rooms.returncode, 0, f"make_table: {rooms.stderr}")
check("R2 0.9" in rooms.stderr, f"make_table tells what can be reached: {rooms.stderr}")
table = write("rooms.csv", rooms.stdout)
shown = said(["table", table, "--target", "rent", "--kind", "demand=skip", "--group", "house", "--folds", "4"],
             "400 rows, 4 splits", "target rent: number, mean ", "inputs: 4 columns of numbers, 3 of categories",
             "number built: mean ", " % missing", "category district: 7 levels", "left out, as asked: demand")
check("from row to number" in shown, f"inspect of a table: {shown}")
check(re.search(r"^  groups +\d", shown, re.M), f"inspect shows the groups of rows: {shown}")
said(["table", table, "--target", "demand", "--kind", "rent=skip", "--kind", "house=skip", "--test-share", "0.25"],
     "target demand: class, 3 of them", "class high: ")
codes = write("codes.csv", "id,code,one,kind,y\n" +
              "".join(f"u{i},{i % 3},x,{'?' if i % 9 else i % 2},{i % 2}\n" for i in range(60)))
said(["table", codes, "--target", "y", "--test", write("more.csv", "kind,y,one,code,id\n7,1,x,2,new\n")],
     "61 rows (54 train, 6 valid, 1 test)", "target y: class, 2 of them, few whole numbers; --target-kind number",
     "category id: 61 levels, 7 of them in no row to train on", "left out, one value in all rows: one",
     "note: another value in each row (if it is an id: --id COLUMN keeps it as a name, --kind COLUMN=skip leaves it out): id",
     "note: few different whole numbers (if they are codes: --kind COLUMN=category): code")
said(["table", codes, "--target", "y", "--target-kind", "number", "--group", "code", "--valid-share", "0",
      "--test", write("more.csv", "kind,y,one,code,id\n7,,x,2,new\n7,1,x,2,new\n"), "--drop-missing-target"],
     "target y: number", "left out: rows without a target: 1",
     "note: rows to validate or test whose group is also trained on: 1")
said(["table", write("sets.csv", "x,a,b\n1,0,1\n2,1,1\n3,0,0\n"), "--target", "a,b", "--valid-share", "0"],
     "target: any of 2 classes a row, 1.00 on average; 1 without", "class b: 2 (66.7 %)")
mixed = write("mixed.csv", "x,z,y\n1,1,1.5\n2,2,2.5\n-,3,3.5\n")
said(["table", mixed, "--target", "y", "--valid-share", "0"],
     "note: x has numbers for the most part, and is categories since '-' (", "mixed.csv:4) is none; --missing takes")
dashes = write("dashes.csv", "x,t,y\n" + "".join(f"{i if i % 7 else '-'},{'A' if i % 2 else ''}{i},{i}.5\n" for i in range(28)))
said(["table", dashes, "--target", "y"], "note: x has numbers for the most part, and is categories since '-' (", "dashes.csv:2)")
check("note: t has numbers" not in run("prepare", "table", dashes, "--target", "y", "-o", f"{folder}/x.h5").err, "codes are no numbers")
# Texts with ';' in all lines but the first: of HTML.
said(["labelled", write("web.csv", "label,text\n" + "".join(f"{i % 2},this &amp; that &lt; {i}\n" for i in range(20))),
      "--text", "text", "--label", "label"], "2 columns parted by commas")
# Parts by a column, in the words of other programs.
split = write("split.csv", "x,text,y,part\n" + "".join(f"{i % 5},word {i},{i // 4 % 2},{('train', 'Validation', 'test', 'dev')[i % 4]}\n" for i in range(40)))
said(["table", split, "--target", "y", "--kind", "text=skip", "--split", "part"], "40 rows (10 train, 20 valid, 10 test)")
said(["labelled", split, "--text", "text", "--label", "y", "--split", "part"], "40 samples (10 train, 20 valid, 10 test)")
said(["pairs", split, "--columns", "text,x", "--split", "4", "--unit", "char"], "40 samples (10 train, 20 valid, 10 test)")
bad(65, "split.csv:2: 'word 0' is no part (--split); expected train, valid (or val, validation, dev) or test", "labelled", split,
    "--text", "text", "--label", "y", "--split", "text")
said(["table", write("flat.csv", "x,y\n1,a\n2,a\n"), "--target", "y", "--valid-share", "0"],
     "target y: class, 1 of them; all rows have the same one, so there is nothing to learn")
bad(65, "codes.csv:4: more than 2 different values in column 'id'", "table", codes, "--target", "y",
    "--most-levels", "2")
bad(65, "train.csv:2: a quote is opened and never closed", "table", write("train.csv", 'x,y\n"1,2\n3,4\n'),
    "--target", "y")
bad(64, "has no column 'yy' (--target); the 3 of its first line, parted by commas: 'x', 'z', 'y'; did you mean 'y'?",
    "table", mixed, "--target", "yy")
bad(64, "give the target by --target COLUMN", "table", mixed)
bad(64, "give a table to train on", "table", "--target", "y")

# ---- synthetic pairs
shown = said(["synth", "--pairs", "sort", "--samples", "100", "--valid", "10", "--test", "10",
              "--test-length", "21-30"], "120 samples (100 train, 10 valid, 10 test)")
check("synthetic: sort of 50 symbols, seed 1" in shown, f"inspect of synthetic pairs: {shown}")
bad(64, "no task 'turn'", "synth", "--pairs", "turn")
bad(64, "--length is '9-3', expected lengths like 1-20", "synth", "--pairs", "copy", "--length", "9-3")
bad(64, "takes no --symbols", "synth", "--symbols", "9")
shutil.rmtree(folder)
finish()
