"""SentencePiece's own package opens the model of a data set and of a checkpoint, and agrees."""
import os

from harness import *

try:
    import h5py
    import sentencepiece
except ImportError as error:
    skip(f"no {error.name} for this Python")

folder = temp_folder()
text, model = os.path.join(folder, "text.txt"), os.path.join(folder, "taken.model")
with open(text, "w", encoding="utf-8") as file:
    for i in range(400):
        file.write(f"line {i}: the quick brown fox jumps over the lazy dog\u00e9, and  away\n\n")
with open(text, encoding="utf-8") as file:
    whole = file.read()
digest = lambda data: run("inspect", data).out.split("digest")[1].split()[0]

for algorithm in ("bpe", "unigram"):
    data, other = os.path.join(folder, algorithm + ".h5"), os.path.join(folder, "other.h5")
    good(run("prepare", "text", text, "--unit", "subword", "--subword", algorithm, "--vocab-size", 400, "-o", data),
         algorithm)
    with h5py.File(data) as file:
        stored, ids = file["vocab/model"][:].tobytes(), file["tokens"][:].tolist()
    with open(model, "wb") as file:
        file.write(stored)
    pieces = sentencepiece.SentencePieceProcessor(model_file=model)
    equal(pieces.decode(ids), whole, "the text from the tokens of the data set")
    equal(pieces.encode(whole), ids, "the tokens from the text")
    equal((pieces.unk_id(), pieces.bos_id(), pieces.eos_id(), pieces.pad_id()), (0, 1, 2, -1), "special tokens")
    good(run("prepare", "text", text, "--tokenizer", model, "-o", other), "--tokenizer")
    equal(digest(other), digest(data), "a data set by the model's file")

# A model made by the package, with its own defaults: other special tokens, no bytes to fall back to.
made = os.path.join(folder, "made")
sentencepiece.SentencePieceTrainer.train(input=text, model_prefix=made, vocab_size=60, pad_id=0, unk_id=3,
                                         bos_id=-1, eos_id=1, hard_vocab_limit=False, minloglevel=4)
pieces = sentencepiece.SentencePieceProcessor(model_file=made + ".model")
with open(text, "w", encoding="utf-8") as file:
    file.write(whole + "\u65e5\u672c\n" * 400)
result = run("prepare", "text", text, "--tokenizer", made + ".model", "-o", other)
good(result, "a model made elsewhere")
check("for validation are unknown" in result.err, result.err)
check("unknown 3, end 1" in run("inspect", other).out, "its special tokens")
with h5py.File(other) as file:
    ids = file["tokens"][:].tolist()
    equal(ids, sum((pieces.encode(line + "\n") for line in (whole + "\u65e5\u672c\n" * 400).split("\n")[:-1]), []),
          "its tokens")

config, run_dir = os.path.join(folder, "lm.yaml"), os.path.join(folder, "run")
with open(config, "w") as file:
    file.write(f"data: {{path: {data}}}\nmodel: {{layers: 1, heads: 2, width: 32, context: 24}}\n"
               "batch: {size: 8}\ntrain: {steps: 2}\n")
good(train(config, run_dir), "train")
with h5py.File(os.path.join(run_dir, "checkpoints", checkpoints(run_dir)[-1])) as saved:
    equal(saved["vocab/model"][:].tobytes(), stored, "the model in the checkpoint")
finish()
