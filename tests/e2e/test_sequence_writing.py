"""What models of sequences say: predictions, translations and texts do not depend on batch, ranks, threads
or cache; translate as a filter of lines."""
import os
import random
import select

from sequences import *

folder = temp_folder()
LAYOUTS = [(0, 2), (2, 1), (3, 1), (4, 2)]


def trained(name, data, body, steps, *more):
    run_dir = f"{folder}/{name}"
    path = config(f"{folder}/{name}.yaml", data, body, steps=steps, every=steps)
    good(train(path, run_dir, "--set", "log.samples=false", *more, ranks=2), f"train {name}")
    return run_dir


def content(path):
    with open(path, "rb") as file:
        return file.read()


# ---- predictions of all samples, and of parts of them
for name, rows, real in (("classes", moods(200), []), ("numbers", marks(200), ["--real"])):
    data = labelled(folder, name, rows, *real)
    run_dir = trained(name, data, LAYOUT_CASES[name][1], 60)
    want = f"{folder}/{name}.out"
    good(run("predict", run_dir, "-o", want), f"predict {name}")
    lines = content(want).decode().splitlines()
    equal(len(lines), 201, f"{name}: predictions")
    check(len({line.split("\t")[1] for line in lines}) > 2, f"{name}: all alike: {lines}")
    for ranks, threads in LAYOUTS:
        out = f"{folder}/out"
        good(run("predict", run_dir, "-o", out, ranks=ranks, threads=threads), f"predict {name} on {ranks}")
        equal(content(out), content(want), f"predict {name} on {ranks} x {threads}")
    for n in (1, 7, 64):
        part = "".join(row + "\n" for row in rows.splitlines()[100:100 + n])
        other = labelled(folder, f"{name}-{n}", part, *real, "--vocabulary", data, "--valid-share", 0,
                         "--header", "no")
        good(run("predict", run_dir, "-o", out, "--data", other), f"predict {n} {name}")
        got = [line.split("\t")[1:3] for line in content(out).decode().splitlines()[1:]]
        equal(got, [line.split("\t")[1:3] for line in lines[101:101 + n]], f"{n} {name} by themselves")

# ---- translations: greedy, beam, n-best, drawn
reverse = trained("reverse", reversal(folder, length="1-5", samples=700), "model: {kind: seq2seq, layers: 1, "
                  "heads: 2, width: 32, ff_width: 64, context: 10, dropout: 0.05, attention_dropout: 0.05}\n"
                  "batch: {tokens: 300}\nloss: {label_smoothing: 0.1}", 200, "--set", "optimizer.weight_decay=0")
r = random.Random(5)
sources = [" ".join(f"s{r.randrange(7)}" for _ in range(r.randrange(13))) for _ in range(200)]
source = write(f"{folder}/source.txt", "".join(line + "\n" for line in sources))
unknown, longer = sum(line.count("s6") for line in sources), sum(len(line.split()) > 9 for line in sources)


def translate(*more, given=b"", **how):
    result = run("translate", reverse, *more, given=given, **how)
    good(result, f"translate {more}")
    return result


# ---- evaluation writes as it is told to
greedy, beam = run("evaluate", reverse), run("evaluate", reverse, "--set", "eval.beam=4", ranks=2)
for result in (greedy, beam):
    good(result, "evaluate")
    check(re.search(r"valid_exact +0\.\d", result.out), f"evaluate: {result.out}")
good(run("evaluate", reverse, "--set", "eval.beam=0"), "evaluate without writing")
check("valid_exact" not in run("evaluate", reverse, "--set", "eval.beam=0").out, "nothing is written")
result = run("evaluate", reverse, "--set", "model.width=7")
equal((result.code, "only keys of eval can be set" in result.err), (64, True), f"a key of the run: {result.err}")

said = None
for way in (["--beam", 1], ["--beam", 4], ["--beam", 4, "--n-best", 3],
            ["--beam", 1, "--temperature", "1.5", "--seed", 3]):
    want = translate(*way, "-i", source, "--batch", 1)
    said = said or want.err
    for part in (f"{unknown} symbols of the input are not in the vocabulary", f"{longer} lines were longer than"):
        equal(want.err.count(part), 1, f"{part!r} once, {way}: {want.err}")
    filled, lines = [line for line in sources if line], want.out.splitlines()
    equal(len(lines), len(sources) + 2 * len(filled) if "--n-best" in way else 200, f"lines of {way}")
    check(len(set(lines)) > 60, f"{way} writes all alike: {lines[:20]}")
    for (ranks, threads), batch in zip(LAYOUTS, (7, 64, 1, 7)):
        got = translate(*way, "-i", source, "--batch", batch, ranks=ranks, threads=threads)
        equal((got.out, got.err), (want.out, want.err), f"{way}, --batch {batch}, {ranks} x {threads}")
greedy = translate("--beam", 1, "-i", source).out
right = sum(" ".join(reversed(a.split())) == b for a, b in zip(sources, greedy.splitlines()) if "s6" not in a)
check(right > 20, f"reversal is not learned: {right}")
check(translate("-i", source, "--beam", 1, "--temperature", "1.5", "--seed", 4).out !=
      translate("-i", source, "--beam", 1, "--temperature", "1.5", "--seed", 3).out, "seeds make no difference")
scored = [line.split("\t") for line in translate("--n-best", 3, "-i", source).out.splitlines()]
for a, b in zip(scored, scored[1:]):
    check(a[0] != b[0] or float(a[1]) >= float(b[1]), f"n-best in order: {a}, {b}")
equal([int(row[0]) for row in scored], [i + 1 for i, line in enumerate(sources) for _ in range(3 if line else 1)],
      "numbers, those of empty lines too")

# ---- files and pipes
out = f"{folder}/translated.txt"
equal(translate("-i", source, "-o", out, "--beam", 1, ranks=3).out, "", "nothing is printed with -o")
equal(content(out).decode(), greedy, "-o")
alone = translate("--beam", 1, given=b"s1 s2 s3").out
equal(translate("--beam", 1, given=b"s1 s2 s3\r\n").out, alone, "CRLF")
equal(translate("--beam", 1, given=b"\ns1 s2 s3\n\n\n \ns1 s2 s3").out, f"\n{alone}\n\n\n{alone}", "empty lines")
for ranks in (0, 3):
    equal(translate(given=b"", ranks=ranks).out, "", "no input")
    result = translate("--beam", 1, given=b"s1 s2 s3\n", ranks=ranks)
    equal((result.out, result.err), (alone, ""), f"one line, {ranks} ranks")
good(run("translate", reverse, "-i", "/dev/null", "-o", out, "--force"), "translate of nothing")
equal(content(out), b"", "nothing written of nothing")

# an answer comes before the next line is sent
for ranks in (0, 2):
    process = subprocess.Popen(command(["translate", reverse, "--beam", 1], ranks), env=environment(),
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    for line in ("s1 s2 s3", "s4", "", "s9 s1"):
        process.stdin.write(line.encode() + b"\n")
        process.stdin.flush()
        ready = select.select([process.stdout], [], [], 60)[0]
        if not check(ready, f"an answer to {line!r} on {ranks} ranks"):
            break
        got = process.stdout.readline().decode()
        if line == "s1 s2 s3":
            equal(got, alone, f"a line of a pipe, {ranks} ranks")
    _, err = process.communicate(timeout=60)
    equal(process.returncode, 0, f"the pipe ends\n{err}")
    equal(err.count(b"not in the vocabulary"), 1, f"unknown symbols are said once: {err}")

# ---- text: kept keys and values say what whole passes say
text = write(f"{folder}/text.txt", "".join(f"row {i % 7}: the quick brown fox, {i % 3}\n" for i in range(300)))
lm = trained("lm", prepare(folder, "text", "text", text), "model: {layers: 2, heads: 2, width: 24, context: 24, "
             "dropout: 0.1, attention_dropout: 0.1}\nbatch: {size: 8}", 60, "--set", "optimizer.weight_decay=0")


def generate(prompt, n, *more, **how):
    result = run("generate", lm, "--prompt", prompt, "--tokens", n, "--temperature", 0, *more, **how)
    good(result, f"generate after {prompt!r}")
    return result.out[:-1], result.err


whole, err = generate("row", 21)  # 24 characters: all of the context
equal((len(whole), err), (24, ""), f"greedy text {whole!r}")
for n in range(3, 24, 2):  # a new process reads the prompt in one pass
    equal(generate(whole[:n], 1)[0], whole[:n + 1], f"the next character after {whole[:n]!r}")
equal(generate("row", 21, threads=2)[0], whole, "two threads")
long, err = generate("row", 80)
equal(long[:25], generate("row", 22)[0], "a longer text begins as the shorter one")
equal((len(long), len(set(long)) > 5), (83, True), f"past the context: {long!r}")
check("longer than model.context (24)" in err and "last 12 to 24 tokens" in err, f"says what it sees: {err}")
seen = long[:40]
equal(generate(seen, 43)[0][40:41], generate(seen[-12:], 1)[0][-1], "a prompt that is too long: its end is seen")
finish()
