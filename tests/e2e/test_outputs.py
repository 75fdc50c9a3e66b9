"""What -o must not destroy: files of the user's, inputs; leftovers of an interrupted prepare; and that the
same input makes the same file whenever and wherever it is made."""
import signal

from harness import *
from values import bars, idx

folder = temp_folder()


def path(name):
    return f"{folder}/{name}"


def write(name, text):
    with open(path(name), "w") as file:
        file.write(text)
    return path(name)


def content(name):
    with open(name, "rb") as file:
        return file.read()


def refused(target, *words, part="is there already", code=64, **how):
    """The command says so, and the file is as it was."""
    before = content(target)
    one_line(run(*words, **how), code, part)
    check(content(target) == before, f"{target} is what it was: {words}")


own = write("notes.txt", "what the user wrote\n" * 40)
texts = [write(f"{i}.txt", f"text {i} of several\n" * 40) for i in range(3)]

# ---- prepare: the slip `-o *.txt`, other files, inputs by other names
refused(texts[0], "prepare", "text", "-o", *texts)
refused(own, "prepare", "text", *texts, "-o", own)
refused(own, "prepare", "synth", "--tokens", 100, "--vocab", 5, "-o", own)
good(run("prepare", "text", *texts, "-o", write("empty.h5", "")), "over an empty file")
data = path("data.h5")
for n in (1000, 2000):
    good(run("prepare", "synth", "--tokens", n, "--vocab", 9, "-o", data), "over a data set of ours")
good(run("prepare", "text", *texts, "-o", write("given.h5", "x"), "--force"), "--force")
os.symlink(texts[1], path("link.txt"))
refused(texts[1], "prepare", "text", *texts, "-o", path("link.txt"), "--force", part="both input and output")
refused(texts[2], "prepare", "text", texts[0], "--valid", texts[2], "-o", texts[2], "--force", part="both input")
chars = path("chars.h5")
good(run("prepare", "text", *texts, "-o", chars), "prepare")
refused(chars, "prepare", "text", *texts, "--vocabulary", chars, "-o", chars, part="both input and output")
foreign = write("foreign.h5", "\x89HDF\r\n and more of another program")
refused(foreign, "prepare", "text", *texts, "-o", foreign)
rows = write("rows.csv", "a,y\n" + "".join(f"{i},{2 * i}\n" for i in range(40)))
refused(rows, "prepare", "table", rows, "--target", "y", "-o", rows, part="both input")
refused(own, "prepare", "table", rows, "--target", "y", "-o", own)

# ---- commands on a run
table = path("table.h5")
good(run("prepare", "table", rows, "--target", "y", "-o", table), "prepare table")
config = write("t.yaml", "data: {path: %s}\nmodel: {kind: mlp, widths: 4}\nbatch: {size: 8}\n"
               "train: {steps: 8}\ncheckpoint: {every: 2, keep: 4}\n" % table)
trained = path("run")
good(train(config, trained), "train")
saved = [f"{trained}/checkpoints/{name}" for name in checkpoints(trained)]
for ranks in (1, 3):
    refused(own, "predict", trained, "-o", own, ranks=ranks)
refused(table, "predict", trained, "-o", table, "--force", "--data", table, part="both input")
refused(saved[0], "predict", trained, "-o", saved[0])
predicted = path("p.tsv")
for _ in range(2):
    good(run("predict", trained, "-o", predicted), "over predictions")
shown = run("predict", trained, "-o", "-")
equal(shown.out.encode(), content(predicted), "predict -o - writes what the file has")
equal(run("predict", trained, "-o", "-", ranks=2).out, shown.out, "predict -o - on two ranks")
good(run("predict", trained, "-o", write("mine.tsv", "my notes"), "--force"), "predict --force")

refused(own, "average", trained, "--last", 2, "-o", own)
refused(saved[0], "average", trained, "--last", 2, "-o", saved[0])
refused(saved[-1], "average", trained, "--last", 2, "-o", saved[-1], "--force", part="both input")
refused(table, "average", trained, "--last", 2, "-o", table)
means = []
for i in range(2):
    good(run("average", trained, "--last", 2, "-o", path("mean.h5")), "over a mean")
    means.append(content(path("mean.h5")))
    time.sleep(1.1 * (1 - i))
check(means[0] == means[1], "means of the same checkpoints are the same bytes")

table_of_run = f"{trained}/metrics.csv"
os.symlink(table_of_run, path("link.svg"))
for command, name, users, of_run in (("report", "page.html", own, table_of_run),
                                     ("plot", "curves.svg", write("own.svg", "<svg>mine</svg>"), path("link.svg"))):
    refused(users, command, trained, "-o", users)
    refused(of_run, command, trained, "-o", of_run, "--force", part="both input")
    for _ in range(2):
        good(run(command, trained, "-o", path(name)), f"over what {command} made")
    good(run(command, trained, "-o", write(name, "mine"), "--force"), f"{command} --force")
os.mkdir(path("numbers"))
mine = write("numbers/results.csv", "my,results\n1,2\n")
refused(mine, "report", trained, "-o", path("page.html"), "--csv", path("numbers"))
equal(os.listdir(path("numbers")), ["results.csv"], "nothing else is written beside it")
for more in (["--force"], []):
    good(run("report", trained, "-o", path("page.html"), "--csv", path("numbers"), *more), f"--csv {more}")
os.mkdir(path("search"))
best = write("search/best.yaml", "what: I found\n")
space = write("space.yaml", f"config: {config}\nsearch: {{method: random, trials: 2}}\n"
              "parameters: {optimizer.lr: {low: 1e-3, high: 1e-2, log: true}}\n")
refused(best, "tune", space, "-o", path("search"), part="no search wrote it")

os.mkdir(path("rates"))
curve = write("rates/find_lr.csv", "my,own,table\n")
refused(curve, "find-lr", config, "--steps", 10, "-o", path("rates"))
os.remove(curve)
for _ in range(2):
    good(run("find-lr", config, "--steps", 10, "-o", path("rates")), "over a curve")
picture = write("rates/find_lr.svg", "<svg>my own</svg>")
refused(picture, "find-lr", config, "--steps", 10, "-o", path("rates"))

pixels, labels = bars(12)
for part, kind, dims, values in (("images", 3, (12, 12, 12), pixels), ("labels", 1, (12,), labels)):
    idx(path(f"train-{part}-idx{kind}-ubyte"), 8, dims, values)
images = path("images.h5")
good(run("prepare", "images", "--images", path("train-images-idx3-ubyte"), "--labels",
         path("train-labels-idx1-ubyte"), "--valid-share", "0", "-o", images), "prepare images")
refused(own, "inspect", images, "--samples", 4, "-o", own)
refused(images, "inspect", images, "--samples", 4, "-o", images, "--force", part="both input")
for _ in range(2):
    good(run("inspect", images, "--samples", 4, "-o", path("sheet.png")), "over a sheet")
with open(write("photo.png", ""), "wb") as file:
    sheet = content(path("sheet.png"))
    file.write(sheet[:33] + sheet[33 + 12 + sheet[36]:])  # the same picture of another program
refused(path("photo.png"), "inspect", images, "--samples", 4, "-o", path("photo.png"))

# ---- leftovers: an interrupted prepare leaves nothing, a killed one is swept by the next


def leftovers():
    return [name for name in os.listdir(folder) if ".tmp-" in name]


big = write("big.txt", "some words of a text that is long\n" * 600000)
for number, left in ((signal.SIGINT, 0), (signal.SIGKILL, 1)):
    process = start("prepare", "text", big, "--unit", "word", "-o", path("long.h5"))
    if wait_for(lambda: leftovers() or process.poll() is not None, 60, "prepare writes"):
        process.send_signal(number)
    equal(process.wait(60), -number, "ended by the signal")
    process.communicate()
    equal(len(leftovers()), left, f"left behind by signal {number}")
write(".long.h5.tmp-1", "of a process that lives")
good(run("prepare", "text", *texts, "-o", path("long.h5")), "the next prepare")
equal(leftovers(), [".long.h5.tmp-1"], "swept, but what a living process writes")

# ---- the same bytes, in another second and from another folder
ways = {
    "text": ("text", "0.txt", "1.txt", "--unit", "word"),
    "labelled": ("labelled", "--class", "a=0.txt", "--class", "b=1.txt", "--valid-share", "0.2"),
    "synth": ("synth", "--tokens", 5000, "--vocab", 7),
    "powerlaw": ("synth", "--graph", "powerlaw", "--nodes", 500, "--edges-count", 2000),
    "table": ("table", "rows.csv", "--target", "y"),
}
made = {}
for turn in range(2):
    for name, words in ways.items():
        file = path(f"same-{turn}-{name}.h5")
        good(run("prepare", *words, "-o", file, cwd=folder), f"prepare {name}")
        made.setdefault(name, set()).add(content(file))
    time.sleep(1.1 * (1 - turn))
for name, files in made.items():
    equal(len(files), 1, f"prepare {name}: the same bytes")
before = content(saved[-1])
os.rename(trained, path("first"))
time.sleep(0.2)
good(train(config, trained), "train again")
check(content(saved[-1]) == before, "checkpoints of the same run are the same bytes")

finish()
