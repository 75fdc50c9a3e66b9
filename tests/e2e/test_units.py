"""Units of a text: prepare, train, evaluate and generate with words and subwords."""
import math
import os
import re

from harness import *

folder = temp_folder()
text = os.path.join(folder, "text.txt")
with open(text, "w", encoding="utf-8") as file:
    for i in range(400):
        file.write(f"line {i}: the quick brown fox jumps over the lazy dog\u00e9, and  away\n\n")
LEARN = ("model: {layers: 1, heads: 2, width: 32, context: 24}\nbatch: {size: 8}\ntrain: {steps: 60}\n"
         "optimizer: {lr: 0.01}\nschedule: {warmup_steps: 10}\neval: {every: 30}\n")


def prepared(name, *more):
    data = os.path.join(folder, name + ".h5")
    result = run("prepare", "text", text, *more, "-o", data)
    good(result, f"prepare {name}")
    return data, result


def trained(name, data):
    config, run_dir = os.path.join(folder, "lm.yaml"), os.path.join(folder, name)
    with open(config, "w") as file:
        file.write(f"data: {{path: {data}}}\n" + LEARN)
    good(train(config, run_dir), f"train {name}")
    return run_dir


def evaluated(run_dir):
    """(loss, tokens, nats a character) as evaluate prints them."""
    result = run("evaluate", run_dir)
    good(result, "evaluate")
    head, _, rest = result.out.partition("\n")
    loss, tokens = float(head.split("loss ")[1].split()[0]), int(head.rsplit(" ", 1)[1])
    return loss, tokens, float(rest.split("valid_nats_per_char")[1].split()[0])


def generated(run_dir, prompt, *parts):
    result = run("generate", run_dir, "--prompt", prompt, "--tokens", 12, "--temperature", 0)
    good(result, "generate")
    check(result.out.startswith(prompt), f"the prompt as it stands: {result.out!r}")
    check("\u2581" not in result.out, f"blanks, not their mark: {result.out!r}")
    for part in parts:
        check(part in result.out, f"{part!r} in {result.out!r}")
    return result


# Words: unknown ones are said once, and stop nothing.
data, result = prepared("words", "--unit", "word", "--min-count", 2)
check("are unknown" in result.err, result.err)
shown = run("inspect", data).out
for part in ("unit word", "unknown 0, begin 1, end 2", "words: \"", "sample"):
    check(part in shown, f"{part!r} in {shown}")
words = trained("words", data)
loss, tokens, nats = evaluated(words)
with open(text, encoding="utf-8") as file:
    characters = len(file.read())
check(abs(nats * characters * 0.1 / (loss * tokens) - 1) < 0.03, "nats a character are of a tenth of the text")
generated(words, "the quick", " brown fox jumps over the lazy")
result = generated(words, "the purple", " ")
equal([line for line in result.lines() if "unknown" in line],
      ["warning: the vocabulary does not have all of the prompt: 1 word ('purple') stands for what is unknown"],
      "unknown words are said once")

# Characters that a vocabulary lacks: refused at once, with all of them; left out; or the token for that.
strange = os.path.join(folder, "strange.txt")
with open(strange, "w", encoding="utf-8") as file:
    file.write("a quick fox\u20ac over the dog\n" * 20 + "100 % of \u20ac~ and \u20ac\n")
plain, _ = prepared("plain")
for words, parts in ((["--vocab-from", plain], ["from byte 11 on: 24 ch", "'\u20ac' (U+20AC)", "no token for what is unknown"]),
                     (["--vocab-from", plain, "--unknown", "token"], ["prepared with --unknown token"]),
                     (["--unit", "word", "--min-count", 9, "--unknown", "refuse"], ["'\u20ac~'", "--unknown skip"])):
    one_line(run("prepare", "text", strange, *words, "-o", f"{folder}/no.h5"), 65, "strange.txt, from byte ", *parts)
check(not os.path.exists(f"{folder}/no.h5"), "nothing is written")
result = run("prepare", "text", strange, "--vocab-from", plain, "--unknown", "skip", "-o", f"{folder}/skipped.h5")
good(result, "--unknown skip")
check("left out: 24 characters ('\u20ac' (U+20AC), '%' (U+0025), '~' (U+007E)), which" in result.err, result.err)
check("unknown" not in run("inspect", f"{folder}/skipped.h5").out, "nothing can be unknown")
with_token, _ = prepared("with_token", "--unknown", "token")
result = run("prepare", "text", strange, "--vocab-from", with_token, "-o", f"{folder}/marked.h5")
good(result, "a vocabulary with a token for what is unknown")
check("note: 24 characters (" in result.err and "token 0, for what is unknown" in result.err, result.err)
shown = run("inspect", f"{folder}/marked.h5").out
check(re.search(r"unknown +19  of train", shown) and re.search(r"unknown +5  of valid", shown), shown)
run_dir = trained("plain", plain)
one_line(run("generate", run_dir, "--prompt", "dog \u20ac"), 65,
         "the prompt: 1 character ('\u20ac' (U+20AC)) is not among the", "--unknown skip")
result = run("generate", run_dir, "--prompt", "dog \u20ac", "--unknown", "skip", "--tokens", 3)
good(result, "generate --unknown skip")
check(result.out.startswith("dog \u20ac") and "left out for the model" in result.err, result.out + result.err)
one_line(run("generate", run_dir, "--prompt", "x", "--unknown", "drop"), 64, "token, skip or refuse")

# Subwords: the same files and options, the same model; the text comes back with its white space.
for algorithm in ("bpe", "unigram"):
    data, _ = prepared(algorithm, "--unit", "subword", "--vocab-size", 320, "--subword", algorithm)
    again, _ = prepared("again", "--unit", "subword", "--vocab-size", 320, "--subword", algorithm)
    equal(run("inspect", data).out.split("digest")[1].split()[0],
          run("inspect", again).out.split("digest")[1].split()[0], f"{algorithm} twice")
data, result = prepared("bpe", "--unit", "subword", "--vocab-size", 8000)
check("note: the text gives no more than" in result.err, result.err)
run_dir = trained("bpe", data)
loss, tokens, nats = evaluated(run_dir)
check(0 < nats < loss and math.isclose(nats, float(rows(run_dir)[-1]["valid_nats_per_char"]), rel_tol=1e-5),
      f"nats a character: {nats}, a token {loss}")
generated(run_dir, "the quick", "brown fox")
result = generated(run_dir, "\u65e5\u672c: ")  # falls back to bytes
equal(result.lines(), [], "bytes are not unknown")

# Another file by the vocabulary of a data set, and by a model file.
other = os.path.join(folder, "other.h5")
good(run("prepare", "text", text, "--vocabulary", data, "-o", other), "--vocabulary")
equal(run("inspect", other).out.split("digest")[1].split()[0],
      run("inspect", data).out.split("digest")[1].split()[0], "the vocabulary of a data set")
good(run("evaluate", run_dir, "--data", other), "evaluate --data")
one_line(run("evaluate", run_dir, "--data", os.path.join(folder, "unigram.h5")), 65, "another vocabulary")
one_line(run("prepare", "text", text, "--unit", "line", "-o", other), 64, "unit 'line'", "subword")
one_line(run("prepare", "text", text, "--tokenizer", text, "-o", other), 65, text)
one_line(run("prepare", "text", text, "--unit", "subword", "--vocab-size", 270, "-o", other), 65, "too small")

finish()
