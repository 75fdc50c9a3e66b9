"""Reports, plots and curves in the terminal: well-formed, alone, true to metrics.csv, whatever became of the runs and
however they are called; what is kept of evaluations is the same on any ranks; what is wrong in one line."""
import contextlib
import fcntl
import html.parser
import pty
import shutil
import struct
import termios
import xml.etree.ElementTree

import graphs
import sequences
import values
from harness import *

folder = temp_folder()
EMPTY = {"meta", "link", "br", "img", "input", "hr", "base"}


def path(name):
    return os.path.join(folder, name)


def read(name):
    with open(path(name), encoding="utf-8") as file:
        return file.read()


class Page(html.parser.HTMLParser):
    """A page whose tags must be closed as they were opened."""

    def __init__(self, text, name):
        super().__init__()
        self.name, self.open, self.text, self.attributes = name, [], "", []
        self.feed(text)
        self.close()
        equal(self.open, [], f"{name}: tags that stay open")

    def handle_starttag(self, tag, attributes):
        self.attributes += attributes
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.attributes += attributes

    def handle_endtag(self, tag):
        if check(self.open and self.open[-1] == tag, f"{self.name}: </{tag}> in {self.open[-3:]}"):
            self.open.pop()

    def handle_data(self, data):
        if not self.open or self.open[-1] not in ("script", "style"):
            self.text += data


def report(name, *runs, more=(), ranks=0):
    """Makes a report and checks what holds for all of them."""
    good(run("report", *runs, "-o", f"{name}.html", "--csv", f"{name}_csv", *more, cwd=folder, ranks=ranks), name)
    text = read(f"{name}.html")
    page = Page(text, name)
    for svg in re.findall(r"<svg.*?</svg>", text, re.S):
        xml.etree.ElementTree.fromstring(svg)
    for key, value in page.attributes:
        check(key not in ("src", "href") or value.startswith("data:"), f"{name}: {key}={value}")
    check("@import" not in text and "url(" not in text, f"{name} loads something")
    numbers = re.sub(r"<(script|pre|li|p)\b.*?</\1>|title=\"[^\"]*\"", "", text, flags=re.S)
    check(not re.search(r"(?<![a-z])(nan|inf)(?![a-z])", numbers), f"{name} has a number that is none")
    return page


def curves(name, run_name):
    """{(column, step): value} of a run, from the CSV of a report."""
    with open(path(f"{name}_csv/curves.csv"), newline="", encoding="utf-8") as file:
        return {(row["column"], int(row["step"])): float(row["value"]) for row in csv.DictReader(file)
                if row["run"] == run_name}


# ---- two runs, one resumed, with names that mean something in HTML; a run that diverged, one without validation
odd = "a<b> & \"c\" 'd'"
config = small_setup(folder)
quick = ("--set", "log.tensorboard=false", "--set", "checkpoint.every=10")
good(train(config, odd, *quick, "--set", "train.steps=10", cwd=folder), "train")
good(train(config, odd, *quick, "--resume", cwd=folder), "resume")
good(train(config, "other", *quick, "--set", "model.width=48", cwd=folder), "train")
good(train(config, "blind", *quick, "--set", "eval.every=0", "--set", "eval.at_end=false", cwd=folder), "train")
bad = train(config, "bad", *quick, "--set", "optimizer.name=sgd", "--set", "optimizer.lr=1e30", "--set",
            "optimizer.clip_norm=0", cwd=folder)
equal(bad.code, 76, "a run that diverges")
for name in (odd, "other", "blind", "bad"):
    Page(read(f"{name}/report.html"), f"{name}'s own report")
    check(os.path.isfile(path(f"{name}/layers.tsv")), f"layers of {name}")

page = report("both", odd, "other")
check(odd in page.text and "What differs" in page.text and "model.width" in page.text, "names and differences")
check("optimizer.lr" not in page.text.split("What differs")[1].split("Curves")[0], "what does not differ")
for name in (odd, "other"):
    got, expected = curves("both", name), {}
    for row in rows(path(name)):
        for column, value in row.items():
            if value and column not in ("step", "event", "weights_hash", "samples_hash"):
                expected[column, int(row["step"])] = float(value)
    equal(got, expected, f"numbers of {name}")
with open(path("both_csv/results.csv"), newline="", encoding="utf-8") as file:
    results = {row["run"]: row for row in csv.DictReader(file)}
best = min(valid_losses(path("other")).items(), key=lambda item: item[1])
equal((int(results["other"]["best_step"]), float(results["other"]["valid_loss"])), best, "the best evaluation")
equal(results[odd]["resumed"], "1", "how often it was resumed")
check(f"{best[1]:.4f}" in page.text, "the best evaluation on the page")
check("resumed" in page.text, "that a run was resumed")

page = report("all", odd, "other", "blind", "bad")
check("diverged" in page.text and "the loss is" in page.text, "a run that diverged")
page = report("blind", "blind")
check("No run was evaluated" in page.text and "What it writes" in page.text, "a run without evaluations")

# ---- seeds are a band
good(train(config, "seeds", *quick, "--seeds", "1-3", cwd=folder), "seeds")
page = report("band", "seeds")
check("mean of 3" in page.text and "class=\"band" in read("band.html"), "a band")
with open(path("band_csv/bands.csv"), newline="") as file:
    band = {(row["column"], row["step"]): row for row in csv.DictReader(file)}
of_runs = [valid_losses(path(f"seeds/seed_{seed}"))[20] for seed in (1, 2, 3)]
check(abs(float(band["valid_loss", "20"]["mean"]) - sum(of_runs) / 3) < 1e-6, "the mean")

# ---- kinds of data; what evaluations leave is the same on any ranks
graph = graphs.config(path("gcn.yaml"), graphs.prepare("graph", graphs.nodes_folder(path("nodes"))),
                      "model: {kind: gcn, layers: 2, width: 8, activation: relu}\nbatch: {blocks: 5}")
bars = values.config(path("bars.yaml"), values.images(folder) , values.CASES["bars"][2], 16, 8)
spell = sequences.config(path("spell.yaml"), sequences.prepare(
    folder, "spell", "pairs", sequences.write(path("spell.tsv"), sequences.spellings(120)), "--unit", "char",
    "--target-unit", "symbol", "--valid-share", "0.2"),
    "model: {kind: seq2seq, layers: 1, heads: 2, width: 16}\nbatch: {size: 20, blocks: 5}", 10, 5)
for name, settings, files in (("gcn", graph, ("confusion", "mistakes")), ("bars", bars, ("confusion", "mistakes")),
                              ("spell", spell, ("written",))):
    for ranks in (1, 3):
        good(train(settings, f"{name}{ranks}", ranks=ranks, cwd=folder), f"train {name} on {ranks}")
    for file in files:
        equal(read(f"{name}3/{file}.tsv"), read(f"{name}1/{file}.tsv"), f"{file} of {name}")
    page = report(name, f"{name}1")
    check(all(part in page.text for part in ("Model", "Curves", "Results", "What was done")), f"sections of {name}")

table = [row for row in csv.DictReader(open(path("gcn_csv/confusion.csv")))]
right = {s: sum(int(r["count"]) for r in table if r["subset"] == s and r["label"] == r["predicted"]) for s in ("valid", "test")}
every = {s: sum(int(r["count"]) for r in table if r["subset"] == s) for s in ("valid", "test")}
equal(every, {"valid": 60, "test": 60}, "samples in the tables")
by_step = {float(row["valid_accuracy"]): row for row in reversed(scores(path("gcn1")))}
top = by_step[max(by_step)]
for subset in ("valid", "test"):
    check(abs(float(top[f"{subset}_accuracy"]) - right[subset] / every[subset]) < 1e-6, f"accuracy of {subset}")
structure = {row["what"]: row["value"] for row in csv.DictReader(open(path("gcn_csv/structure.csv")))}
with open(path("nodes/edges.tsv")) as file:
    equal(int(structure["edges"]), len(file.read().splitlines()), "edges")
check("homophily" in Page(read("gcn.html"), "gcn").text, "structure on the page")
check("data:image/bmp;base64," in read("bars.html"), "pictures of mistakes")
check("reference" in Page(read("spell.html"), "spell").text, "what it writes, beside the references")

# ---- pictures and the terminal
good(run("plot", odd, "other", "-o", "two.svg", cwd=folder), "plot")
svg = xml.etree.ElementTree.fromstring(read("two.svg"))
check(any("width 48" in (node.text or "") for node in svg.iter()), "a name in a picture")
sequences.write(path("mine.svg"), "<svg/>")
one_line(run("plot", "other", "-o", "mine.svg", cwd=folder), 64, "mine.svg")
equal(read("mine.svg"), "<svg/>", "a picture of the user's")
good(run("plot", "other", "-o", "lr.svg", "--column", "lr", cwd=folder), "plot a column")
if shutil.which("rsvg-convert"):
    for _ in range(2):  # also over the first one
        good(run("plot", "other", "-o", "two.png", cwd=folder), "plot to PNG")
    with open(path("two.png"), "rb") as file:
        equal(file.read(8), b"\x89PNG\r\n\x1a\n", "a PNG")
    equal([name for name in os.listdir(folder) if ".tmp." in name], [], "what plot leaves behind")
shown = run("show", odd, "other", cwd=folder)
good(shown, "show")
check("loss a token" in shown.out and "other: done, step 20, best valid loss" in shown.out, shown.out)
told = run("inspect", odd, cwd=folder)
good(told, "inspect")
for part in (f"{odd}: run, done", "model         decoder", "20 of 20, resumed", "valid loss", "checkpoints"):
    check(part in told.out, f"{part!r} in {told.out}")

# ---- a run that is going on; who looks before there is one waits for it
os.makedirs(path("sooner"))
early = [start("show", name, "--follow", cwd=folder) for name in ("slow", "sooner")]
for watcher, name in zip(early, ("slow", "sooner")):
    equal(watcher.stderr.readline(), f"waiting for {name}, where no run has begun yet; Ctrl-C ends this\n", "waiting")
early[1].send_signal(signal.SIGINT)
equal(early[1].wait(10), -signal.SIGINT, "Ctrl-C ends waiting")
one_line(run("show", config, "--follow", cwd=folder), 74, "has no metrics.csv, so it is no run directory")
slow = start("train", config, "--set", f"run.dir={path('slow')}", "--set", "train.steps=100000", "--set", "log.tensorboard=false")
wait_for(lambda: os.path.exists(path("slow/metrics.csv")) and len(rows(path("slow"))) > 3, 60, "rows of a slow run")
check("slow: running, step" in run("show", "slow", cwd=folder).out, "a run that is going on")
equal(early[0].poll(), None, "show --follow goes on with the run")
slow.send_signal(signal.SIGTERM)
slow.communicate(timeout=60)
out, err = early[0].communicate(timeout=60)
equal(early[0].returncode, 0, f"show --follow: {err}")
check("slow: step 1  loss" in out and "slow: stopped, step" in out and "by SIGTERM" in out, out[-1500:])

# ---- drawn over in a terminal: it fits, however small that is
for height, width in ((24, 60), (50, 120)):
    master, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
    child = subprocess.Popen([PROGRAM, "show", odd, "other", "slow", "--follow"], cwd=folder, stdout=terminal, env=environment())
    os.close(terminal)
    drawn = b""
    with contextlib.suppress(OSError):  # the end of a terminal
        while part := os.read(master, 65536):
            drawn += part
    os.close(master)
    equal(child.wait(), 0, "show --follow on a terminal")
    lines = drawn.decode().split("\033[H\033[J")[-1].replace("\r", "").rstrip("\n").split("\n")
    check(len(lines) < height and max(map(len, lines)) <= width, f"{len(lines)} lines in {height} of {width}: {lines}")
    check(lines[0] == "loss a token" and any("other: done" in line for line in lines), f"{lines}")

# ---- what is wrong
os.makedirs(path("empty"))
one_line(run("report", "empty", cwd=folder), 74, "empty: has no metrics.csv, so it is no run directory")
one_line(run("report", "nowhere", cwd=folder), 66, "nowhere: there is no such folder")
one_line(run("report", "other", "gcn1", cwd=folder), 65, "other and gcn1 have different tasks", "per token", "per node")
one_line(run("report", cwd=folder), 64, "give one run directory or more")
one_line(run("plot", "other", "-o", "x.jpg", cwd=folder), 64, "x.jpg: give a name that ends with .svg or .png")
one_line(run("show", "other", "--column", "valid_accuracy", cwd=folder), 64, "no run has a column 'valid_accuracy'")
one_line(run("report", "other", "-o", "data.h5", cwd=folder), 64, "data.h5")
shutil.copytree(path("other"), path("torn"))
with open(path("torn/metrics.csv"), "a") as file:
    file.write("21,what?\n22")
one_line(run("report", "torn", cwd=folder), 65, "torn/metrics.csv:", "has fewer than the")
os.chmod(path("torn/metrics.csv"), 0)
if os.geteuid() != 0:
    one_line(run("report", "torn", cwd=folder), 74, "torn/metrics.csv")
finish()
