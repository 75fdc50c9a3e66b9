"""Mistakes with sequences: each gets one line that names the thing and the remedy, and its exit code."""
import itertools
import os
import shutil

from sequences import *

folder = temp_folder()
serial = itertools.count()
data = {make.__name__: make(folder) for make in (classes, numbers, sounds, folds)}
data["reverse"] = reversal(folder)
ENCODE = f"model: {{{ENCODER}}}\nbatch: {{size: 23, blocks: 7}}"
WRITE = f"model: {{{SEQ2SEQ}}}\nbatch: {{size: 23, blocks: 7}}"
encode = config(f"{folder}/encode.yaml", data["classes"], ENCODE)
writes = config(f"{folder}/write.yaml", data["reverse"], WRITE)
encoder, writer, guesser = f"{folder}/encoder", f"{folder}/writer", f"{folder}/guesser"
good(train(encode, encoder), "encoder")
good(train(writes, writer), "seq2seq")
good(train(encode, guesser, "--set", f"data.path={data['numbers']}"), "encoder of numbers")


def bad_train(path, code, parts, *given, ranks=(0,)):
    more = [word for pair in given for word in ("--set", pair)]

    for n in ranks:
        run_dir = f"{folder}/x{next(serial)}"

        def judge(result, run_dir=run_dir):
            one_line(result, code, *parts)
            check(not os.path.exists(f"{run_dir}/metrics.csv"), f"{given} begins no run")

        later(judge, train, path, run_dir, *more, ranks=n)


def path_of(name):
    return f"data.path={data[name]}"


def bad(code, parts, *words, ranks=0, given=b""):
    later(lambda result: one_line(result, code, *parts), run, *words, ranks=ranks, given=given)


# ---- models and data that do not go together
bad_train(writes, 78, ["model.kind is 'seq2seq'", "are classes", "set it to encoder"], path_of("classes"), ranks=(0, 2))
bad_train(writes, 78, ["model.kind is 'seq2seq'", "are numbers"], path_of("numbers"))
bad_train(encode, 78, ["model.kind is 'encoder'", "sequences of tokens", "set it to seq2seq"], path_of("reverse"))
bad_train(encode, 78, ["model.context is 7", " of the 240 samples", "the longest has 10 tokens", "--longest"],
          "model.context=7")
bad_train(writes, 78, ["model.context is 6", " of the 380 samples", "the longest has 7 tokens"], "model.context=6")
bad_train(encode, 78, ["data.split is 3", "has 3, from 0 to 2"], "data.split=3", path_of("folds"))
bad_train(encode, 78, ["data.split is 1", "classes.h5"], "data.split=1")
bad_train(writes, 78, ["model.embeddings is 'shared'", "set it to separate", "--vocab shared"],
          "model.embeddings=shared", path_of("sounds"))
bad_train(encode, 78, ["loss.class_weights", "not a class each", "set it to none"], "loss.class_weights=balanced",
          path_of("numbers"))
bad_train(encode, 78, ["batch.size", "500", "168"], "batch.size=500", ranks=(0, 2))
bad_train(encode, 78, ["batch.blocks is 24", "batch.size"], "batch.blocks=24")
bad_train(encode, 78, ["eval.select", "bleu"], "eval.select=bleu")
bad_train(encode, 78, ["model.heads"], "model.heads=4")
bad_train(encode, 78, ["model.decoder_layers has no effect here", "seq2seq"], "model.decoder_layers=2")
bad_train(writes, 78, ["model.pooling has no effect here", "encoder"], "model.pooling=max")
bad_train(encode, 78, ["5 ranks", "batch.blocks"], "batch.blocks=4", ranks=(5,))
one_line(train(encode, f"{folder}/x", "--splits", "0-3", "--set", path_of("folds")), 64, "0-3", "3")
good(train(encode, f"{folder}/one-step", "--set", "batch.tokens=1000000", "--set", "train.steps=2"),
     "a budget that holds the whole epoch")

# ---- vocabularies of texts have no tokens for the begin and the end of a sequence
plain = prepare(folder, "plain", "text", write(f"{folder}/plain.txt", (moods(60) + marks(60)).replace("\t", " ")),
                "--unit", "char")
framed = labelled(folder, "framed", moods(60), "--vocabulary", plain)
bad_train(encode, 65, ["framed.h5", "input vocabulary has no token for the begin"], f"data.path={framed}",
          "model.context=64", "model.pooling=first", ranks=(0, 2))
good(train(encode, f"{folder}/framed", "--set", f"data.path={framed}", "--set", "model.context=64", "--set",
           "train.steps=2"), "an encoder that needs none")

# ---- commands of the other kind
for ranks in (0, 2):
    bad(78, [encoder, "says a class or a number", "trireme predict"], "translate", encoder, ranks=ranks)
    bad(78, [writer, "trireme translate"], "predict", writer, "-o", f"{folder}/out", ranks=ranks)
settle()
check(not os.path.exists(f"{folder}/out"), "no output after a failure")
for run_dir in (encoder, writer):
    bad(78, ["gives no text"], "generate", run_dir)
bad(64, ["--n-best 3", "--beam 2"], "translate", writer, "--beam", 2, "--n-best", 3)
bad(64, ["--temperature", "--beam 1"], "translate", writer, "--temperature", "0.5")
bad(66, ["gone.txt"], "translate", writer, "-i", f"{folder}/gone.txt", ranks=2)
bad(64, [folder], "translate", writer, "-i", write(f"{folder}/a.txt", "s1\n"), "-o", folder)
bad(66, ["nowhere"], "translate", f"{folder}/nowhere")
for ranks in (0, 2):
    bad(64, ["reverse.h5 is there already", "-o another name"], "translate", writer, "-o", data["reverse"], ranks=ranks,
        given=b"s1\n")
for ranks in (0, 3):
    bad(65, ["standard input:2: invalid UTF-8"], "translate", writer, given=b"s1 s2\ns1 \xff s2\ns3\n", ranks=ranks)
with open("/dev/full", "w") as full:
    done = subprocess.run(command(["translate", writer, "-i", f"{folder}/a.txt"], 0), env=environment(), stdout=full,
                          stderr=subprocess.PIPE, text=True, timeout=120)
one_line(Result(done.returncode, "", done.stderr), 74, "writing the text failed")

# ---- other data than the model was trained on
other = labelled(folder, "other", moods(60).replace("day", "night"))
for words in (["predict", encoder, "-o", f"{folder}/out"], ["evaluate", encoder]):
    bad(65, ["other.h5 has another input vocabulary", "--vocabulary"], *words, "--data", other)
    bad(65, ["reverse.h5 are sequences of tokens", "kind 'encoder'"], *words, "--data", data["reverse"])
wider = reversal(folder, "wider", symbols=9)
bad(65, ["another", "vocabulary", "wider.h5"], "evaluate", writer, "--data", wider)
bad(65, ["kind number", "kind class"], "predict", encoder, "-o", f"{folder}/out", "--data",
    labelled(folder, "marks", marks(30), "--real", "--vocabulary", data["classes"]))
older = f"{encoder}/checkpoints/{checkpoints(encoder)[0]}"
for name, code, parts in (("other", 78, ["vocabulary"]), ("again", 78, ["not the data set"])):
    made = other if name == "other" else labelled(folder, "again", moods(240, 7), "--vocabulary", data["classes"])
    one_line(train(encode, f"{folder}/x", f"--resume={older}", "--set", f"data.path={made}"), code, name, *parts)
one_line(train(writes, f"{folder}/x", f"--resume={older}"), 78, "model.kind")

# classes by their names, whichever numbers the data give them
rows = [line for line in moods(240).splitlines() if not line.startswith("good")]
few = labelled(folder, "few", "".join(f"{row}\n" for row in rows + ["never seen\ta film"] * 2), "--vocabulary",
               data["classes"])
bad(65, ["few.h5 has 2 samples of classes that", "does not know: never seen (it knows bad, good, mixed)"], "evaluate",
    encoder, "--data", few)
with open(f"{folder}/some-test.tsv", "w") as file:
    file.write("".join(f"{row}\n" for row in rows[:90]))
some = labelled(folder, "some", "".join(f"{row}\n" for row in rows), "--vocabulary", data["classes"], "--test",
                f"{folder}/some-test.tsv")
said = run("evaluate", encoder, "--data", some, ranks=2)
good(said, "evaluate on some of the classes, which have other numbers")
check("some.h5: note: its classes have other numbers" in said.err, said.err)
good(run("predict", encoder, "-o", f"{folder}/out", "--data", some), "predict on some of the classes")
with open(f"{folder}/out") as file:
    rows_of = [line.split("\t") for line in file][1:][len(rows):]
want = sum(row[1] == row[3] for row in rows_of) / 90
check(f"test_accuracy      {want:.6f}" in said.out, f"accuracy {want}: {said.out}")
tables = []
for given in (["--data", few], []):
    good(run("predict", encoder, "-o", f"{folder}/out", *given), "predict on other classes")
    with open(f"{folder}/out") as file:
        tables.append([line.rstrip("\n").split("\t")[1:] for line in file][1:])
equal(tables[0][-1][2], "", "a class that the model does not know")
want = [line for line, row in zip(tables[1], moods(240).splitlines()) if not row.startswith("good")]
equal(tables[0][:-2], want, "predictions of some of the classes")
small = labelled(folder, "small", moods(20), "--vocabulary", data["classes"], "--valid-share", "0.5")
good(run("evaluate", encoder, "--data", small, ranks=2), "evaluate of data smaller than a batch")

# the test part is scored by evaluate, whether or not the run did
short = f"{folder}/short"
good(train(encode, short, "--set", "eval.test=false", "--set", "train.steps=4"), "a run that scores no test part")
with open(f"{short}/metrics.csv") as file:
    check("test_" not in file.readline(), "a run that scores no test part")
said = run("evaluate", short)
good(said, "evaluate of it")
check("test_accuracy" in said.out, f"the scores of the test part: {said.out}")

# ---- damaged files
for name in ("classes", "reverse"):
    with open(data[name], "rb") as file:
        content = bytearray(file.read())
    content[len(content) * 2 // 3] ^= 4
    with open(f"{folder}/flipped.h5", "wb") as file:
        file.write(content)
    with open(f"{folder}/half.h5", "wb") as file:
        file.write(content[:len(content) // 2])
    for damaged in ("flipped.h5", "half.h5"):
        bad_train(encode, 65, [damaged], f"data.path={folder}/{damaged}", ranks=(0, 2))
        bad(65, [damaged], "inspect", f"{folder}/{damaged}")
    settle()
damaged = f"{folder}/damaged"
shutil.copytree(writer, damaged)
for name in checkpoints(damaged):
    with open(f"{damaged}/checkpoints/{name}", "r+b") as file:
        file.seek(os.path.getsize(f"{damaged}/checkpoints/{name}") // 2)
        file.write(b"\0\xff" * 300)
result = run("translate", damaged, "-i", f"{folder}/a.txt", ranks=2)
check(result.code in (65, 74) and "damaged" in result.err and result.lines()[-1].startswith("error: "),
      f"damaged checkpoints: {result.code}, {result.err}")
finish()
