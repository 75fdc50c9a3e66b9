"""Units of a text: prepare, train, evaluate and generate with words and subwords."""
import math
import os

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
      ["warning: the vocabulary does not have all of the prompt: 1 of its 2 tokens stand for what is unknown"],
      "unknown words are said once")

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
